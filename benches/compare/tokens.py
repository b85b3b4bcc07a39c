"""Tokenizers side by side on one core: bytes a second on text that the process has not seen, and on more of the same kind.

    .venv/bin/python benches/compare/tokens.py --program target/release/hypostyle [--texts FOLDER ...] [--megabytes 17]

Documents of about two kilobytes are made of the files under `--texts` (`.txt`, `.md`), shuffled from a fixed seed and cut into two halves of
equal size without a document in common. Every engine runs in a process of its own on one thread, encodes one short text so that its vocabulary is there,
then the first half (first pass) and the second (warm). The program reads an Arrow file and adds up the lengths of the lists;
its times are differences between queries over nothing, over the first half and over both, without the time of reading (queries that add up
lengths of texts), since peers hold theirs in memory; the line below includes it. Token counts must be equal before any time counts. Encodings: cl100k_base, and a WordPiece tokenizer trained over the texts.
"""

import argparse
import gzip
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import pyarrow

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
PATTERN = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"


def documents(folders, size):
    texts = []
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.suffix in (".txt", ".md") and path.is_file():
                text = path.read_text(errors="replace")
                texts += [text[start : start + 2000] for start in range(0, len(text), 2000)]
    texts = sorted(set(texts))
    random.Random(1).shuffle(texts)
    halves, bytes_held = [[], []], [0, 0]
    for text in texts:
        smaller = 0 if bytes_held[0] <= bytes_held[1] else 1
        if bytes_held[smaller] >= size:
            break
        halves[smaller].append(text)
        bytes_held[smaller] += len(text.encode())
    return halves, bytes_held


def write(path, texts):
    table = pyarrow.table({"t": texts})
    with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=8192)


# The inside of a peer's process: gives counts and seconds of both halves.
WORKER = r"""
import json, os, sys, time
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
name, ranks, pattern, model, first, second = sys.argv[1:]
import pyarrow
def read(path):
    with pyarrow.memory_map(path) as source:
        return pyarrow.ipc.open_file(source).read_all().column("t").to_pylist()
halves = [read(first), read(second)]
if name == "tiktoken":
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe
    encoding = tiktoken.Encoding("cl100k", pat_str=pattern, mergeable_ranks=load_tiktoken_bpe(ranks), special_tokens={})
    encode = lambda texts: sum(len(encoding.encode_ordinary(text)) for text in texts)
elif name == "rs-bpe":
    from rs_bpe.bpe import openai
    encoding = openai.cl100k_base()
    encode = lambda texts: sum(len(encoding.encode(text)) for text in texts)
elif name == "gigatoken":
    import gigatoken
    encoding = gigatoken.Tokenizer.from_tiktoken(ranks, "cl100k", {})
    # The form that is quickest for it: lists of Python would cost more than the tokens.
    def encode(texts):
        return len(encoding.encode_batch(texts, parallel=False).layout.content)
elif name in ("tokenizers", "tokenizers-word-piece"):
    from tokenizers import Tokenizer
    encoding = Tokenizer.from_file(model)
    encode = lambda texts: sum(len(one.ids) for one in encoding.encode_batch_fast(texts, add_special_tokens=False))
elif name == "kitoken-word-piece":
    import kitoken
    encoding = kitoken.Kitoken.from_file(model)
    encode = lambda texts: sum(len(encoding.encode(text)) for text in texts)
encode(["hello world"])
answers = []
for half in halves:
    start = time.perf_counter()
    count = encode(half)
    answers.append((count, time.perf_counter() - start))
print(json.dumps(answers))
"""


def peer(name, ranks, model, files):
    run = subprocess.run([sys.executable, "-c", WORKER, name, str(ranks), PATTERN, str(model), *map(str, files)], capture_output=True, text=True)
    if run.returncode != 0:
        return run.stderr.strip().splitlines()[-1:] or ["failed"]
    return json.loads(run.stdout.splitlines()[-1])


def ours(program, encoding, folder, files, rounds=7):
    nothing = folder / "nothing.arrow"
    write(nothing, ["hello world"])

    def run(value, paths):
        sources = ", ".join(f"'{path}'" for path in paths)
        sql = f"SELECT sum({value}) AS n FROM read_arrow([{sources}])"
        command = [program, "--threads", "1", "query", sql, "--format", "csv"]
        best, count = None, 0
        for _ in range(rounds):
            start = time.perf_counter()
            answer = subprocess.run(command, capture_output=True, text=True)
            seconds = time.perf_counter() - start
            if answer.returncode != 0:
                raise SystemExit(answer.stderr)
            count = int(answer.stdout.split()[-1])
            best = min(best or seconds, seconds)
        return count, best

    stages = [[nothing], files[:1], files]
    tokens = [run(f"len(tokenize(t, '{encoding}'))", paths) for paths in stages]
    read = [run("octet_length(t)", paths)[1] for paths in stages]
    counts = [tokens[1][0], tokens[2][0] - tokens[1][0]]
    whole = [tokens[at + 1][1] - tokens[at][1] for at in range(2)]
    alone = [seconds - (read[at + 1] - read[at]) for at, seconds in enumerate(whole)]
    return list(zip(counts, alone)), list(zip(counts, whole))


def train_word_piece(texts, path):
    sys.path.insert(0, str(ROOT / "tests/oracle"))
    import tokenizer_files

    tokenizer_files.bert(texts[:3000], 30000, True).save(str(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/release/hypostyle"))
    parser.add_argument("--texts", nargs="*", default=[str(DATA / "text")])
    parser.add_argument("--megabytes", type=float, default=17, help="of each half, as far as the texts reach")
    parser.add_argument("--prepare", metavar="FOLDER", help="keep files there, and only make them if they are not there")
    parser.add_argument("--only-prepare", action="store_true")
    parser.add_argument("--only", choices=["cl100k_base", "WordPiece"], help="one of the encodings")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        # Every engine on the same core.
        os.sched_setaffinity(0, {0})
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(arguments.prepare or temporary)
        folder.mkdir(exist_ok=True, parents=True)
        files = [folder / "first.arrow", folder / "second.arrow"]
        ranks, model = folder / "cl100k_base.tiktoken", folder / "word_piece.json"
        if not (folder / "sizes.json").exists():
            halves, sizes = documents(arguments.texts, int(arguments.megabytes * 1e6))
            for path, texts in zip(files, halves):
                write(path, texts)
            ranks.write_bytes(gzip.decompress((DATA / "tokenizers/cl100k_base.tiktoken.gz").read_bytes()))
            train_word_piece(halves[0], model)
            (folder / "sizes.json").write_text(json.dumps(sizes))
        sizes = json.loads((folder / "sizes.json").read_text())
        if arguments.only_prepare:
            return
        print(f"{sizes[0] / 1e6:.1f} MB first, {sizes[1] / 1e6:.1f} MB warm, one thread")
        groups = {
            "cl100k_base": ("cl100k_base", ["gigatoken", "rs-bpe", "tiktoken"]),
            "WordPiece": (model, ["kitoken-word-piece", "tokenizers-word-piece"]),
        }
        for group, (encoding, peers) in groups.items():
            if arguments.only not in (None, group):
                continue
            alone, whole = ours(arguments.program, encoding, folder, files)
            answers = {"hypostyle": alone, "hypostyle with reading": whole}
            answers |= {name: peer(name, ranks, model, files) for name in peers}
            wanted = [count for count, _ in answers["hypostyle"]]
            for name, answer in answers.items():
                if not isinstance(answer[0], (list, tuple)):
                    print(f"{group:12} {name:24} {answer[0]}")
                    continue
                speeds = [size / seconds / 1e6 for size, (_, seconds) in zip(sizes, answer)]
                note = "" if [count for count, _ in answer] == wanted else f"   counts differ: {[count for count, _ in answer]} and {wanted}"
                print(f"{group:12} {name:24} first {speeds[0]:8.1f} MB/s   warm {speeds[1]:8.1f} MB/s{note}")


if __name__ == "__main__":
    main()
