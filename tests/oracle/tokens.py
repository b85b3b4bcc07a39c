"""Compares tokens with the reference implementations: Hugging Face `tokenizers`, `tiktoken`, `sentencepiece` and `scikit-learn`.

    .venv/bin/python tests/oracle/tokens.py --program target/debug/hypostyle [--large] [--seed 7]

Tokenizers of every supported shape are trained over small texts (see `tokenizer_files.py`); token numbers, numbers with special
tokens, offsets, pairs, padded inputs and decoded text must be equal over real texts where they are there, over every
character of Unicode and over random strings from a printed seed. `.tiktoken` files are compared with the same ranks run by
`tiktoken`, `.model` files with `sentencepiece`, hashed vectors and weights with scikit-learn, case folding and normal forms with Python. A peer that is not installed is skipped with a message.
"""

import argparse
import gzip
import importlib.util
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import pyarrow
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data"
LETTERS = list("abcdeEST 's're\n\r\t1234/.,!_-+=(){}<>\"") + ["é", "ß", "ſ", "中", "文", "字", "😀", "\u0301", "ð", "ʰ", "　", "ﬁ", "한", "▁", "ก", "ı", "\u200d", "Å"]
# Kinds whose normalizers join several characters into one.
JOINING = {"clip", "t5", "xlm_r", "albert"}
WORDS = ["the", "Holmes", "didn't", "  ", "\n\n", "<|endoftext|>", "[MASK]", "<mask>", "<s>", "naïve", "日本語", "12345", "don't", "x=y+1;", "привет", "🤦🏼‍♂️", "e\u0301", "''", "``"]


def has(module):
    if importlib.util.find_spec(module) is None:
        print(f"skipped: the package {module} is not installed")
        return False
    return True


class Program:
    """Runs one query over a table of texts."""

    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)

    def query(self, sql, **columns):
        table = self.folder / "input.parquet"
        pyarrow.parquet.write_table(pyarrow.table(columns), table)
        output = self.folder / "output.arrow"
        command = [self.program, "query", sql.replace("$input", f"'{table}'"), "--format", "arrow", "--output", str(output)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600)
        if run.returncode != 0:
            raise SystemExit(f"{sql}\n{run.stderr}")
        with pyarrow.memory_map(str(output)) as source:
            answer = pyarrow.ipc.open_file(source).read_all()
            return {name: answer.column(name).to_pylist() for name in answer.column_names}


class Tally:
    def __init__(self):
        self.compared = self.wrong = 0
        self.shown = {}

    def check(self, what, text, ours, theirs):
        self.compared += 1
        if ours != theirs:
            self.wrong += 1
            self.shown[what] = self.shown.get(what, 0) + 1
            if self.shown[what] <= 3:
                print(f"DIFFERS {what} of {text!r:.300}\n   ours   {shown(ours, theirs)}\n   theirs {shown(theirs, ours)}")


def shown(mine, other):
    if isinstance(mine, list) and isinstance(other, list):
        start = next((i for i, (a, b) in enumerate(zip(mine, other)) if a != b), min(len(mine), len(other)))
        return f"{len(mine)} long, from {start}: {mine[start:start + 12]}"
    return f"{mine!r:.300}"


def real_texts(large):
    paths = sorted((DATA / "text").glob("**/*.txt")) + sorted((DATA / "text").glob("**/*.html"))
    if not paths:
        print(f"no real texts under {DATA}: made-up ones only")
    size = 1 << 30 if large else 6000
    return [path.read_bytes()[:size].decode(errors="replace") for path in paths]


def training_texts():
    names = ["opensubtitles/en-medium.txt", "opensubtitles/ru-medium.txt", "opensubtitles/zh-medium.txt"]
    paths = [DATA / "text" / name for name in names]
    if all(path.exists() for path in paths):
        return [path.read_text(errors="replace") for path in paths]
    return ["The quick brown fox jumps over the lazy dog. Привет мир. 中文字 12345 don't\n"] * 500


def made_up(seed, count):
    chance = random.Random(seed)
    texts = ["", " ", "\n", "a", "  two  spaces  ", " leading", "trailing ", "Hello, World! I'm here.", "a" * 300, "中" * 120, "1" * 50, "!" * 70, " " * 40 + "x"]
    for _ in range(count):
        if chance.random() < 0.5:
            texts.append("".join(chance.choice(LETTERS) for _ in range(chance.randrange(60))))
        else:
            texts.append(" ".join(chance.choice(WORDS) for _ in range(chance.randrange(12))))
    return texts


def is_settled(code):
    """Whether a character is as old as Unicode 3.2 and has kept its category: the peers' tables are of several later versions."""
    character = chr(code)
    category = unicodedata.category(character)
    return category not in ("Cn", "Cs", "Co") and unicodedata.ucd_3_2_0.category(character) == category


def is_plain(text):
    """Whether no normalizer joins or drops characters."""
    return "  " not in text and not any(unicodedata.combining(character) for character in unicodedata.normalize("NFKD", text))


def every_character(large):
    """Settled characters between letters, 64 together; all of them, or some."""
    codes = [code for code in range(1, 0x30000) if is_settled(code)]
    codes = codes if large else codes[:4000:3] + codes[4000::61]
    return [" ".join(f"a{chr(code)}B" for code in codes[start : start + 64]) for start in range(0, len(codes), 64)]


def compare_files(program, tally, folder, seed, large):
    import tokenizer_files
    from tokenizers import Tokenizer

    paths = tokenizer_files.train(folder, training_texts(), 2000)
    texts = real_texts(large) + made_up(seed, 3000 if large else 250)
    characters = every_character(large)
    for name, path in paths.items():
        before = tally.wrong
        peer = Tokenizer.from_file(str(path))
        cases = texts + characters
        ours = program.query(
            f"SELECT tokenize(t, '{path}') AS ids, tokenize(t, '{path}', special_tokens => true) AS special, token_offsets(t, '{path}') AS places, "
            f"token_count(t, '{path}') AS count, detokenize(tokenize(t, '{path}'), '{path}') AS text FROM $input",
            t=cases,
        )
        plain = peer.encode_batch(cases, add_special_tokens=False)
        special = peer.encode_batch(cases)
        for at, text in enumerate(cases):
            tally.check(f"{name}: tokens", text, ours["ids"][at], plain[at].ids)
            tally.check(f"{name}: count", text, ours["count"][at], len(plain[at].ids))
            tally.check(f"{name}: tokens with special ones", text, ours["special"][at], special[at].ids)
            tally.check(f"{name}: decoded text", text, ours["text"][at], peer.decode(plain[at].ids, skip_special_tokens=False))
            if ours["ids"][at] == plain[at].ids:
                places = [(place["start"], place["end"]) for place in ours["places"][at]]
                # With special tokens the post-processor trims places, so these are of the whole encoding.
                wanted = [place for place, mask in zip(special[at].offsets, special[at].special_tokens_mask) if not mask or len(special[at].ids) == len(plain[at].ids)]
                wanted = wanted if len(wanted) == len(places) else plain[at].offsets
                # Of characters that were joined, or dropped beside others, our places cover all and the peer's one.
                if (name in JOINING or not is_plain(text)) and len(wanted) == len(places):
                    places = [theirs if ours[0] <= theirs[0] and theirs[1] <= ours[1] else ours for ours, theirs in zip(places, wanted)]
                tally.check(f"{name}: places", text, places, wanted)
        compare_inputs(program, tally, name, path, peer, made_up(seed + 1, 60))
        print(f"{name}: {len(cases)} texts, {tally.wrong - before} differences")


def compare_inputs(program, tally, name, path, peer, texts):
    pairs = [None if at % 3 == 0 else texts[-1 - at] for at in range(len(texts))]
    ours = program.query(f"SELECT model_input(t, '{path}', max_length => 16, padding => true, pair => p) AS input FROM $input", t=texts, p=pairs)
    padding = next((peer.token_to_id(token) for token in ["[PAD]", "<pad>"] if peer.token_to_id(token) is not None), 0)
    peer.enable_truncation(16)
    peer.enable_padding(length=16, pad_id=padding)
    for at, (text, pair) in enumerate(zip(texts, pairs)):
        theirs = peer.encode(text) if pair is None else peer.encode(text, pair)
        wanted = {"input_ids": theirs.ids, "token_type_ids": theirs.type_ids, "attention_mask": theirs.attention_mask}
        tally.check(f"{name}: model input", (text, pair), ours["input"][at], wanted)
    peer.no_truncation()
    peer.no_padding()


def compare_tiktoken(program, tally, seed, large):
    import tiktoken
    from tiktoken.load import load_tiktoken_bpe

    gpt2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"
    cl100k = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    texts = real_texts(large) + made_up(seed, 3000 if large else 250) + every_character(large)
    texts += ["a" * (1_000_000 if large else 100_000), "^" * 100_000, " " * 100_000 + "x"]
    for path, pattern in [(DATA / "tokenizers/gpt2.tiktoken", gpt2), (DATA / "tokenizers/cl100k_base.tiktoken.gz", cl100k)]:
        if not path.exists():
            print(f"skipped: no {path}")
            continue
        with tempfile.NamedTemporaryFile(suffix=".tiktoken") as ranks:
            ranks.write(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
            ranks.flush()
            peer = tiktoken.Encoding(path.name, pat_str=pattern, mergeable_ranks=load_tiktoken_bpe(ranks.name), special_tokens={})
        ours = program.query(f"SELECT tokenize(t, '{path}') AS ids, detokenize(tokenize(t, '{path}'), '{path}') AS text FROM $input", t=texts)
        before = tally.wrong
        for at, text in enumerate(texts):
            tally.check(f"{path.name}: tokens", text, ours["ids"][at], peer.encode_ordinary(text))
            tally.check(f"{path.name}: decoded text", text, ours["text"][at], text)
        print(f"{path.name}: {len(texts)} texts, {tally.wrong - before} differences")


# Models as published families shape them: options of the trainer.
SENTENCE_PIECE = {
    "unigram": {"model_type": "unigram", "user_defined_symbols": ["<sep>", "▁▁▁", "holmes!"]},
    "unigram_bytes": {"model_type": "unigram", "byte_fallback": True, "character_coverage": 0.98},
    "unigram_identity": {"model_type": "unigram", "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "add_dummy_prefix": False},
    "bpe": {"model_type": "bpe", "character_coverage": 0.98},
    "bpe_llama": {"model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "split_digits": True},
    "bpe_gemma": {
        "model_type": "bpe", "byte_fallback": True, "normalization_rule_name": "identity", "remove_extra_whitespaces": False, "add_dummy_prefix": False,
        "user_defined_symbols": ["\n", "\n\n", "▁▁", "▁▁▁", "<b>"],
    },
    "bpe_across": {"model_type": "bpe", "split_by_whitespace": False, "max_sentencepiece_length": 10},
}


def compare_sentence_piece(program, tally, folder, seed, large):
    import io
    import sentencepiece

    training = [line for text in training_texts() for line in text.splitlines() if line.strip()][:4000]
    texts = [text.replace("\0", "") for text in real_texts(large) + made_up(seed, 3000 if large else 250) + every_character(large)]
    for name, options in SENTENCE_PIECE.items():
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(training), model_writer=model, vocab_size=1500, hard_vocab_limit=False, minloglevel=2, num_threads=1, **options
        )
        path = pathlib.Path(folder) / f"{name}.model"
        path.write_bytes(model.getvalue())
        peer = sentencepiece.SentencePieceProcessor(model_file=str(path))
        before = tally.wrong
        ours = program.query(f"SELECT tokenize(t, '{path}') AS ids, detokenize(tokenize(t, '{path}'), '{path}') AS text FROM $input", t=texts)
        for at, text in enumerate(texts):
            wanted = peer.encode(text)
            tally.check(f"{name}.model: tokens", text, ours["ids"][at], wanted)
            tally.check(f"{name}.model: decoded text", text, ours["text"][at], peer.decode(wanted))
        print(f"{name}.model: {len(texts)} texts, {tally.wrong - before} differences")


def compare_vectors(program, tally, seed):
    import numpy
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer

    chance = random.Random(seed)
    documents = [[chance.choice(["a", "b", "cat", "dog", "é", "日本", "", "x y", f"w{chance.randrange(200)}"]) for _ in range(chance.randrange(30))] for _ in range(300)]
    same = {"analyzer": lambda tokens: tokens}
    counts = CountVectorizer(**same).fit(documents)
    vocabulary = [str(token) for token in counts.get_feature_names_out()]
    matrix = counts.transform(documents)
    frequencies = [int(count) for count in numpy.asarray((matrix > 0).sum(axis=0))[0]]
    listed = "[" + ", ".join("'" + token.replace("'", "''") + "'" for token in vocabulary) + "]"
    answers = program.query(
        f"SELECT hashing_vectorizer(t, 1000) AS hashed, hashing_vectorizer(t, 64, alternate_sign => false, norm => 'l1') AS shares, bag_of_words(t, {listed}) AS bag, "
        f"tf_idf(t, {listed}, {frequencies}, {len(documents)}, compat => 'sklearn') AS weights FROM $input",
        t=pyarrow.array(documents, pyarrow.list_(pyarrow.string())),
    )
    peers = {
        "hashed": HashingVectorizer(n_features=1000, **same).transform(documents),
        "shares": HashingVectorizer(n_features=64, alternate_sign=False, norm="l1", **same).transform(documents),
        "bag": matrix,
        "weights": TfidfVectorizer(**same).fit(documents).transform(documents),
    }
    for name, peer in peers.items():
        peer.sort_indices()
        for at, tokens in enumerate(documents):
            row = peer[at]
            ours = answers[name][at]
            tally.check(f"{name}: indexes", tokens, [entry["index"] for entry in ours], row.indices.tolist())
            close = numpy.allclose([entry["value"] for entry in ours], row.data, rtol=1e-12, atol=0) if len(ours) == row.nnz else False
            tally.check(f"{name}: values", tokens, close, True)
    print(f"scikit-learn: {len(documents)} documents")


def compare_characters(program, tally):
    """Python's data are of one version of Unicode, ours of another: only characters that Python knows are compared."""
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and unicodedata.category(chr(code)) not in ("Cn", "Co")]
    ours = program.query(
        "SELECT casefold(t) AS folded, nfc_normalize(t) AS nfc, nfd_normalize(t) AS nfd, nfkc_normalize(t) AS nfkc, nfkd_normalize(t) AS nfkd FROM $input", t=characters
    )
    for at, character in enumerate(characters):
        tally.check("case folding", character, ours["folded"][at], character.casefold())
        for form in ["NFC", "NFD", "NFKC", "NFKD"]:
            tally.check(form, character, ours[form.lower()][at], unicodedata.normalize(form, character))
    print(f"Python: {len(characters)} characters")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "target/debug/hypostyle"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--large", action="store_true", help="whole texts, every character, many random strings")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        program = Program(arguments.program, folder)
        if has("tokenizers"):
            compare_files(program, tally, folder, arguments.seed, arguments.large)
        if has("tiktoken"):
            compare_tiktoken(program, tally, arguments.seed, arguments.large)
        if has("sentencepiece"):
            compare_sentence_piece(program, tally, folder, arguments.seed, arguments.large)
        if has("sklearn"):
            compare_vectors(program, tally, arguments.seed)
        compare_characters(program, tally)
    print(f"{tally.compared} comparisons, {tally.wrong} differences")
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
