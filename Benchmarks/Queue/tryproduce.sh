#!/bin/bash
# private redis on a socket
D=$(mktemp -d); redis-server --port 0 --unixsocket $D/s --save '' --appendonly no --dir $D >/dev/null & P=$!
sleep 0.4; B=/tmp/perf/swift-huey/.build/release; U="unix://$D/s?db=0"
for i in 1 2; do
echo one; $B/QueueBench one --url $U --count 20000
echo conc; $B/QueueBench concurrent --url $U --count 100000
echo bulk; $B/QueueBench bulk --url $U --count 200000
redis-cli -s $D/s flushall >/dev/null
done
M=/work/main/interop
cat > $D/p.py <<'W'
import sys,time
import interop_tasks as it
h=it.make_huey('bench', sys.argv[1], notify_result=True); t=it.register(h)
n=20000
a=time.perf_counter()
for i in range(n): t.add(i,3)
b=time.perf_counter(); print('python one', n/(b-a))
h.storage.conn.flushall()
W
PYTHONPATH=$M:$M/reference $M/.env/venv/bin/python $D/p.py $U
$B/interop-worker --url $U --name bench -q -n -w 4 --notify-result >/dev/null & W=$!
sleep 1
for i in 1 2 3; do $B/QueueBench round-trip --url $U --count 3000; done
$B/QueueBench waiters --url $U --count 5000
kill -INT $W; wait $W
PYTHONPATH=$M:$M/reference $M/.env/venv/bin/python $M/reference/interop_tasks.py --url $U --name bench -q -n -w 4 --notify-result >/dev/null & W=$!
sleep 1.5
cat > $D/r.py <<'W'
import sys,time
import interop_tasks as it
h=it.make_huey('bench', sys.argv[1], notify_result=True); t=it.register(h)
n=2000; l=[]
for i in range(n):
    a=time.perf_counter(); t.add(i,3).get(blocking=True,timeout=5); l.append(time.perf_counter()-a)
l.sort(); print('python rt', l[n//2]*1e6, l[n*99//100]*1e6)
W
for i in 1 2; do PYTHONPATH=$M:$M/reference $M/.env/venv/bin/python $D/r.py $U; done
kill -INT $W; wait $W; kill $P
