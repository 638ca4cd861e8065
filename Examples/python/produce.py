from tasks import add

result = add(2, 3)
print(result.get(blocking=True, timeout=10))
