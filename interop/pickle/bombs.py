"""Known bombs through the tool: what each costs.

    python3 bombs.py HUEY [repetitions]

Prints, for each, its size, the answer and the time it took, and at the end the tool's peak memory.
"""
import os
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recoder import Recoder, Refused  # noqa: E402


def memo_bomb(levels):
    data = b"\x80\x04]\x94"
    for level in range(levels):
        data += b"](h" + bytes([level]) + b"h" + bytes([level]) + b"e\x94"
    return data + b"."


def text_bomb():
    return b"\x80\x04(" + b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"\x94" + b"h\x00" * 500000 + b"l."


def tower(count):
    """Tuples in tuples around lists that hold the outermost: every list meets all of them again."""
    data = b"\x80\x04" + b"]\x94" * count
    data += b")"
    for index in range(count):
        data += b"j" + struct.pack("<I", index) + b"\x86"
    data += b"\x94"
    for index in range(count):
        data += b"j" + struct.pack("<I", index) + b"j" + struct.pack("<I", count) + b"a0"
    return data + b"."


BOMBS = {
    "a million nested lists": b"]" * 1000000 + b"a" * 999999 + b".",
    "a million nested tuples": b")" + b"\x85" * 1000000 + b".",
    "a million nested dicts": b"}K\x01" * 1000000 + b"N" + b"s" * 1000000 + b".",
    "9,000 nested lists": b"]" * 9000 + b"a" * 8999 + b".",
    "memo bomb of 60 levels": memo_bomb(60),
    "half a million references to a megabyte of text": text_bomb(),
    "a list that holds itself": b"]\x94h\x00a.",
    "a tower of 1000 tuples and lists": tower(1000),
    "a tower of 20000 tuples and lists": tower(20000),
    "LONG_BINPUT 2**28": b"Nr\x00\x00\x00\x10.",
    "LONG_BINPUT 2**32-1": b"Nr\xff\xff\xff\xff.",
    "PUT 2**63": b"Np9223372036854775808\n.",
    "BINUNICODE8 of 2**63": b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "BINBYTES8 of 2**64-1": b"\x8e" + b"\xff" * 8 + b".",
    "FRAME of 2**64-1": b"\x80\x04\x95" + b"\xff" * 8 + b"N.",
    "a LONG4 of a megabyte": b"\x8b" + struct.pack("<I", 1 << 20) + b"\x7f" * (1 << 20) + b".",
    "a decimal of a million digits": b"L" + b"9" * 1000000 + b"L\n.",
    "a hexadecimal of a million digits": b"I0x" + b"f" * 1000000 + b"\n.",
    "an unhashable key": b"}]Ns.",
    "a tuple key with a list": b"}]\x85Ns.",
    "a tuple key of 60 doubled levels": b"}(" + b")\x94" + b"".join(
        b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86\x94" for i in range(60)) + b"1h\x3cNs.",
    "two equal tuple keys of 60 doubled levels": b"}(" + b"K\x01\x85\x94" + b"".join(
        b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86\x94" for i in range(60)) + b"1" + b"(" + b"K\x01\x85\x94" + b"".join(
        b"h" + bytes([i + 61]) + b"h" + bytes([i + 61]) + b"\x86\x94" for i in range(60)) + b"1" +
        b"}(h\x3cNh\x79Nu.",
    "a million marks": b"(" * 1000000 + b".",
    "a million DUPs": b"]" + b"2" * 1000000 + b".",
    "200,000 globals": b"".join(b"cm\nn%d\n0" % i for i in range(200000)) + b"N.",
    "100,000 dict keys 65,536 apart": b"}(" + b"".join(
        b"\x8a\x05" + struct.pack("<Q", i * 65536)[:5] + b"N" for i in range(100000)) + b"u.",
    "a list appended to 300,000 times between others": b"]\x94" + b"".join(b"]Na0h\x00Na0" for _ in range(300000)) + b"h\x00.",
    "300,000 BUILDs of one object": b"cm\nn\n)R" + b"}b" * 300000 + b".",
}


def main():
    recode = Recoder([sys.argv[1]])
    slow = 0
    for name, data in BOMBS.items():
        start = time.perf_counter()
        try:
            answer = "%d bytes" % len(recode(data))
        except Refused as error:
            answer = "refused: %s" % str(error)[:90]
        spent = time.perf_counter() - start
        slow = max(slow, spent)
        print("%-52s %9d bytes %9.1f ms  %s" % (name, len(data), spent * 1000, answer))
    with open("/proc/%d/status" % recode.process.pid) as file:
        print([line.strip() for line in file if line.startswith("VmHWM")][0], "· slowest %.0f ms" % (slow * 1000))
    sys.exit(recode.close())


if __name__ == "__main__":
    main()
