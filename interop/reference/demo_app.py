"""A Python application as huey's manual has it: what `interop/demo` runs with Python's own huey_consumer."""
import os

from huey import RedisHuey

huey = RedisHuey('python-app', url=os.environ['DEMO_URL'])


@huey.task()
def thumbnail(path, width=100, height=100):
    return {'path': path, 'size': (width, height), 'written': True}


@huey.task()
def divide(a, b):
    return a / b
