"""Writes tiny.json: a BERT tokenizer with a vocabulary that a person can read, and added tokens of every flag."""

import json
import pathlib

WORDS = """the a dog cat run park in is [ ] ! ? . , - 中 文 \u0130 \u03c3 \u03c2 \u00df \u00e9 e i n o un ##run ##ning
##s ##er ##n ##e ##a ##b ##c ##d ##\u03c3 ##\u03c2 ##\u0307 ##\u00df ##\ufb01 ##\u00ad able ##able ##xyz x y z""".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def added(id, content, **flags):
    base = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=False)
    return dict(id=id, content=content, **{**base, **flags})


vocab = {token: id for id, token in enumerate(SPECIAL + WORDS)}
size = len(vocab)
tokens = [added(vocab[name], name, special=True, lstrip=name == "[MASK]") for name in SPECIAL]
tokens += [
    added(size, "<Name>", normalized=True),
    added(size + 1, "wholeword", single_word=True),
    added(size + 2, "<strip>", lstrip=True, rstrip=True),
    added(size + 3, "<stripmore>", rstrip=True, normalized=True, single_word=True),
    added(size + 4, "É!", normalized=True),
    added(size + 5, "  "),
]
pieces = lambda *names: [{"Sequence": {"id": "A", "type_id": 0}} if n == "A" else {"SpecialToken": {"id": n, "type_id": 0}} for n in names]
document = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": tokens,
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "post_processor": {
        "type": "TemplateProcessing",
        "single": pieces("[CLS]", "A", "[SEP]"),
        "pair": pieces("[CLS]", "A", "[SEP]") + [{"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {n: {"id": n, "ids": [vocab[n]], "tokens": [n]} for n in ("[CLS]", "[SEP]")},
    },
    "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
    "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 20, "vocab": vocab},
}
path = pathlib.Path(__file__).parent / "tiny.json"
path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
