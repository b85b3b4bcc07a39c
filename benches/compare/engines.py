"""The engines of a comparison, each in its own process, so that memory and warmth are its own."""

import json
import os
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent


class EngineError(Exception):
    """A query that an engine refused."""


class Engine:
    """A process that answers queries one after another."""

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def peak_bytes(self):
        """Peak resident size of the process so far."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


class Peer(Engine):
    """A peer behind engine_worker.py."""

    def __init__(self, name, threads):
        self.name = name
        environment = os.environ | {"POLARS_MAX_THREADS": str(threads)}
        command = [sys.executable, str(FOLDER / "engine_worker.py"), name, str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise EngineError(f"{self.name} ended")
        reply = json.loads(line)
        if "error" in reply:
            raise EngineError(reply["error"])
        return reply["seconds"]

    def views(self, tables):
        self.ask({"views": tables})

    def run(self, sql):
        """Seconds of one run to an Arrow table."""
        return self.ask({"sql": sql})

    def answer(self, sql, path):
        """Writes the answer as an Arrow file."""
        self.ask({"sql": sql, "answer": str(path)})


class Hypostyle(Engine):
    """The program's shell over a pipe: each statement runs as it arrives, and its time comes back."""

    name = "hypostyle"

    def __init__(self, program, threads):
        command = [program, "shell", "--format", "none", "--timing", "--threads", str(threads)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def views(self, tables):
        for name, path in tables.items():
            self.run(f"CREATE VIEW {name} AS FROM '{path}'")

    def run(self, sql):
        self.process.stdin.write(sql.strip().rstrip(";") + ";\n")
        self.process.stdin.flush()
        message = []
        for line in self.process.stderr:
            timing = re.fullmatch(r"time: ([0-9.]+) s\s*", line)
            if timing:
                if message:
                    raise EngineError(" ".join(message))
                return float(timing[1])
            message.append(line.strip())
        raise EngineError(" ".join(message) or "hypostyle ended")

    def answer(self, sql, path):
        self.run(f"COPY ({sql.strip().rstrip(';')}) TO '{path}' (FORMAT arrow)")
