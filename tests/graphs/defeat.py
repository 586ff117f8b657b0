"""Randomised hashes, addresses, the order of a set, threads, and numbers drawn at random."""
import os, random, tempfile, threading, time, uuid

order = []


def note(name):
    for _ in range(200):
        order.append(name)
        time.sleep(0)


threads = [threading.Thread(target=note, args=(name,)) for name in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(
    hash("word"), id(object()), {str(i) for i in range(8)}, hash(tuple(order)), random.random(), uuid.uuid4(),
    uuid.uuid1(), os.urandom(4).hex(), tempfile.mktemp(), time.time_ns(), os.getpid(),
)
open(os.environ["out"], "w").close()
