from huey import RedisHuey

huey = RedisHuey('my-app', url='redis://localhost:6379/0')

@huey.task()
def add(a, b):  # runs in Swift: Python only enqueues it
    raise NotImplementedError

@huey.task()
def thumbnail(path, width):  # runs here, under huey_consumer tasks.huey
    return '%s@%d' % (path, width)
