"""Trains tokenizers of every kind that `tokenize` reads, small and quickly, over given texts.

Each is shaped like a family of published files: the steps, decoders and special tokens of GPT-2, RoBERTa, Llama 2 and 3, Qwen 2,
Gemma, CLIP, Falcon, DeepSeek, BERT (cased and uncased), T5, XLM-R and ALBERT, and one of whole words. Needs the package `tokenizers`; the character map of SentencePiece is added where
the package `sentencepiece` is there.
"""

import base64
import io
import json
import pathlib

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
DEEPSEEK = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
BYTES = pre_tokenizers.ByteLevel.alphabet()
SPELLED = [f"<0x{byte:02X}>" for byte in range(256)]


def special(content, **options):
    return AddedToken(content, special=True, normalized=False, **options)


def byte_level(texts, size, splits, normalizer=None, add_prefix_space=False, use_regex=False, ignore_merges=False):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tokenizer.normalizer = normalizer
    last = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits, last]) if splits else last
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=BYTES, show_progress=False, special_tokens=["<|endoftext|>"])
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def gpt2(texts, size):
    tokenizer = byte_level(texts, size, [], use_regex=True)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def roberta(texts, size):
    tokenizer = byte_level(texts, size, [], add_prefix_space=True, use_regex=True)
    tokenizer.add_special_tokens([special("<s>"), special("</s>"), special("<pad>"), special("<mask>", lstrip=True)])
    start, end = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", end), ("<s>", start), trim_offsets=True, add_prefix_space=True)
    return tokenizer


def llama3(texts, size):
    splits = [pre_tokenizers.Split(Regex(LLAMA3), "isolated")]
    tokenizer = byte_level(texts, size, splits, ignore_merges=True)
    tokenizer.add_special_tokens([special("<|begin_of_text|>"), special("<|eot_id|>")])
    start = tokenizer.token_to_id("<|begin_of_text|>")
    template = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1", special_tokens=[("<|begin_of_text|>", start)]
    )
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), template])
    return tokenizer


def qwen2(texts, size):
    splits = [pre_tokenizers.Split(Regex(QWEN2), "isolated")]
    tokenizer = byte_level(texts, size, splits, normalizer=normalizers.NFC())
    tokenizer.add_special_tokens([special("<|im_start|>"), special("<|im_end|>")])
    return tokenizer


def deepseek(texts, size):
    splits = [
        pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated"),
        pre_tokenizers.Split(Regex("[一-龥぀-ゟ゠-ヿ]+"), "isolated"),
        pre_tokenizers.Split(Regex(DEEPSEEK), "isolated"),
    ]
    return byte_level(texts, size, splits)


def falcon(texts, size):
    splits = [
        pre_tokenizers.Punctuation("contiguous"),
        pre_tokenizers.Digits(individual_digits=False),
        pre_tokenizers.Split(Regex("[0-9][0-9][0-9]"), "isolated"),
    ]
    return byte_level(texts, size, splits, use_regex=True)


def clip(texts, size):
    tokenizer = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(CLIP), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size, initial_alphabet=BYTES, show_progress=False, special_tokens=["<|startoftext|>", "<|endoftext|>"], end_of_word_suffix="</w>"
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def llama2(texts, size):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    # Trained over words, so that training is quick and no merge reaches over a mark.
    trainer = trainers.BpeTrainer(vocab_size=size, limit_alphabet=300, show_progress=False, special_tokens=["<unk>", "<s>", "</s>", *SPELLED])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.pre_tokenizer = None
    start = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", start)])
    return Tokenizer.from_str(tokenizer.to_str())


def gemma(texts, size):
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    trainer = trainers.BpeTrainer(
        vocab_size=size, limit_alphabet=400, max_token_length=12, show_progress=False, special_tokens=["<pad>", "<unk>", "<bos>", *SPELLED]
    )
    # Lines, so that words are not the longest tokens.
    tokenizer.train_from_iterator((line for text in texts for line in text.splitlines()), trainer)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def bert(texts, size, lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, show_progress=False, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], limit_alphabet=600
    )
    tokenizer.train_from_iterator(texts, trainer)
    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", start), ("[SEP]", end)]
    )
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def word_level(texts, size):
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(vocab_size=size, show_progress=False, special_tokens=["[UNK]", "[PAD]"])
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def unigram(texts, size, normalizer, pre_tokenizer, byte_fallback=False):
    tokenizer = Tokenizer(models.Unigram())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    special_tokens = ["<pad>", "</s>", "<unk>", *(SPELLED if byte_fallback else [])]
    trainer = trainers.UnigramTrainer(vocab_size=size, show_progress=False, special_tokens=special_tokens, unk_token="<unk>")
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.decoder = decoders.Metaspace()
    if byte_fallback:
        file = json.loads(tokenizer.to_str())
        file["model"]["byte_fallback"] = True
        file["decoder"] = {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}]}
        tokenizer = Tokenizer.from_str(json.dumps(file))
    end = tokenizer.token_to_id("</s>")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", end)])
    return tokenizer


def character_map():
    """SentencePiece's map of the rule nmt_nfkc, out of a model trained over three words; None without the package."""
    try:
        import sentencepiece
    except ImportError:
        return None
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a b c"] * 20), model_writer=model, vocab_size=8, normalization_rule_name="nmt_nfkc", minloglevel=2, hard_vocab_limit=False
    )
    return field(field(model.getvalue(), 3), 2)


def field(message, wanted):
    """The bytes of a length-delimited field of a protocol buffer."""
    at = 0

    def number():
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        kind = key & 7
        if kind == 2:
            length = number()
            if key >> 3 == wanted:
                return message[at : at + length]
            at += length
        elif kind == 0:
            number()
        else:
            at += 8 if kind == 1 else 4
    return None


def t5(texts, size):
    pre = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    mapped = character_map()
    return unigram(texts, size, normalizers.Precompiled(mapped) if mapped else None, pre)


def xlm_r(texts, size):
    mapped = character_map()
    steps = [normalizers.Precompiled(mapped)] if mapped else []
    steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    return unigram(texts, size, normalizers.Sequence(steps), pre_tokenizers.Metaspace(prepend_scheme="first"), byte_fallback=True)


def albert(texts, size):
    steps = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    pre = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    return unigram(texts, size, normalizers.Sequence(steps), pre)


KINDS = {
    "gpt2": gpt2,
    "roberta": roberta,
    "llama3": llama3,
    "qwen2": qwen2,
    "deepseek": deepseek,
    "falcon": falcon,
    "clip": clip,
    "llama2": llama2,
    "gemma": gemma,
    "bert_uncased": lambda texts, size: bert(texts, size, True),
    "bert_cased": lambda texts, size: bert(texts, size, False),
    "word_level": word_level,
    "t5": t5,
    "xlm_r": xlm_r,
    "albert": albert,
}


def train(folder, texts, size, kinds=None):
    """Trains and saves; gives names and paths."""
    paths = {}
    for name in kinds or KINDS:
        path = pathlib.Path(folder) / f"{name}.json"
        if not path.exists():
            KINDS[name](texts, size).save(str(path))
        paths[name] = path
    return paths
