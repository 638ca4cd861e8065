"""Speaks to `huey pickle recode --stream`: one pickle in, the recoded pickle or an error out."""
import struct
import subprocess


class Refused(Exception):
    """The tool answered with an error."""


class Recoder:
    def __init__(self, command, protocol=None):
        arguments = list(command) + ["pickle", "recode", "--stream"]
        if protocol is not None:
            arguments += ["--protocol", str(protocol)]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.count = 0

    def _read(self, count):
        pieces = []
        while count:
            piece = self.process.stdout.read(count)
            if not piece:
                raise EOFError("the tool ended with status %s" % self.process.wait())
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def __call__(self, data):
        self.count += 1
        self.process.stdin.write(struct.pack(">I", len(data)) + data)
        self.process.stdin.flush()
        status, length = struct.unpack(">BI", self._read(5))
        answer = self._read(length)
        if status:
            raise Refused(answer.decode("utf-8", "replace"))
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()
