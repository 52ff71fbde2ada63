"""What the `tokenizers` package says.

reference.py encode TOKENIZER LINES OUT   LINES: JSON array of texts; OUT: JSON array of arrays of ids, not truncated
reference.py wide TINY OUT             OUT: a tokenizer.json like TINY with every character of interest in its vocabulary
"""

import json
import sys

from tokenizers import Tokenizer, normalizers


def encode(tokenizer, lines, out):
    model = Tokenizer.from_file(tokenizer)
    model.no_truncation()
    model.no_padding()
    with open(lines, encoding="utf-8") as file:
        texts = json.load(file)
    ids = [encoding.ids for encoding in model.encode_batch(texts)]
    with open(out, "w", encoding="utf-8") as file:
        json.dump(ids, file)


def wide(tiny, out):
    """All characters that change, or that another one changes to, so that no difference hides behind [UNK]."""
    decompose, lower = normalizers.NFD(), normalizers.Lowercase()
    characters = set()
    for code in range(0x30000):  # no character behind changes
        if 0xD800 <= code <= 0xDFFF or 0xAC00 < code <= 0xD7A3 or code == 0x20:
            continue
        character = chr(code)
        parts = decompose.normalize_str(character) + lower.normalize_str(character)
        if parts != 2 * character:
            characters.update(parts + character)
        elif 0x300 <= code < 0x3000 or 0x10A00 <= code < 0x12000:  # marks, punctuation and much else
            characters.add(character)
    with open(tiny, encoding="utf-8") as file:
        document = json.load(file)
    vocab = document["model"]["vocab"]
    document["added_tokens"] = document["added_tokens"][:5]
    for character in sorted(characters):
        for token in (character, "##" + character):
            vocab.setdefault(token, len(vocab))
    document["model"]["max_input_chars_per_word"] = 1000
    with open(out, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False)


if __name__ == "__main__":
    if sys.argv[1] == "encode":
        encode(*sys.argv[2:5])
    else:
        wide(*sys.argv[2:4])
