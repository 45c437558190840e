#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes pre_tokenizers.json: how the regular expressions of each pre-tokenizer cut random texts.

The expressions are the ones that llama.cpp uses (src/llama-vocab.cpp), run by the `regex` package
(pip install regex); the Rust code has none. Run: python3 pre_tokenizers.py > pre_tokenizers.json
"""
import json
import random

import regex

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CONTRACTIONS = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
TAIL = r"|\s*[\r\n]+|\s+(?!\S)|\s+"


def cl100k(digits, contractions=CONTRACTIONS + "|", newlines=r"[\r\n]*", letters=r"\p{L}", other=r"\s\p{L}\p{N}"):
    return (contractions + r"[^\r\n\p{L}\p{N}]?[" + letters + r"]+|\p{N}" + digits + r"| ?[^" + other + r"]+"
            + newlines + TAIL)


def cased(digits, ending):
    upper, lower = r"((?=[\p{L}])([^a-z]))", r"((?=[\p{L}])([^A-Z]))"
    first, second = upper + "*" + lower + "+" + ending, upper + "+" + lower + "*" + ending
    lead = r"[^\r\n\p{L}\p{N}]?"
    return lead + first + "|" + lead + second + r"|\p{N}" + digits + r"| ?[^\s\p{L}\p{N}]+[\r\n/]*" + TAIL


DEEPSEEK3 = (r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
             r"""| ?[\p{P}\p{S}]+[\r\n]*""" + TAIL)
BLOOM = r" ?[^(\s|.,!?…。，、।۔،)]+"

EXPRESSIONS = {
    "gpt-2": [GPT2],
    "llama-bpe": [cl100k("{1,3}")],
    "qwen2": [cl100k("")],
    "qwen35": [cl100k("", letters=r"\p{L}\p{M}", other=r"\s\p{L}\p{M}\p{N}")],
    "seed-coder": [cl100k("", newlines="", other=r"\s\p{L}\p{N}\r\n")],
    "ufakzeka": [cl100k("", contractions="")],
    "minicpm5": [r"\p{N}{1,3}", cl100k("+")],
    "smollm": [r"\p{N}", GPT2],
    "tekken": [cased("", "")],
    "gpt-4o": [cased("{1,3}", CONTRACTIONS + "?")],
    "deepseek-coder": [r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}"],
    "deepseek-v3": [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", DEEPSEEK3],
    "falcon": [r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"],
    "default": [r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"],
    "bloom": [BLOOM],
    "viking": [BLOOM, r"\p{N}"],
}

ALPHABET = ["a", "b", "A", "B", "s", "S", "ll", "'s", "'LL", "'", "é", "É", "1", "2", "345", "²", "٣", " ", " ", "  ",
            "\n", "\r\n", "\t", "\u00a0", "\u3000", "!", ".", "/", "$", "`", "~", "|", "(", "…", "。", "一", "ひ", "한",
            "\u0301", "ا", "ǅ", "ª", "\u200b", "\u0000", "🦙", "€", "_", "-"]


def cut(expressions, text):
    pieces = [text]
    for expression in expressions:
        pieces = [part for piece in pieces for part in cut_once(expression, piece)]
    return pieces


def cut_once(expression, text):
    parts, at = [], 0
    for match in regex.finditer(expression, text):
        parts += [text[at:match.start()], match.group()]
        at = match.end()
    return [part for part in parts + [text[at:]] if part]


def main():
    source = random.Random(20)
    texts = ["".join(source.choices(ALPHABET, k=source.randint(1, 24))) for _ in range(300)]
    cases = {name: [cut(expressions, text) for text in texts] for name, expressions in EXPRESSIONS.items()}
    rows = ["%s: [\n%s\n]" % (json.dumps(name), ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows))
            for name, rows in cases.items()]
    print("{\n" + ",\n".join(rows) + "\n}")


main()
