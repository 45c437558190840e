#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes models/cloister-base.gguf anew, from the sources in models/data, on a CPU. Run it in the repository's root.
#   CLINC=FILE   CLINC150's train/validation file (JSON); without it the data are smaller
#   THREADS=N    threads [2]; the weights do not depend on it
#   OUT=DIR      folder for data and checkpoints [target/base]
set -eu
threads=${THREADS:-2} out=${OUT:-target/base}
cargo build --release -q -p tools-corpus -p tools-train -p tools-eval
corpus=target/release/cloister-corpus train=target/release/cloister-train evaluate=target/release/cloister-eval
mkdir -p "$out"
$corpus generate --seed 1 -o "$out" ${CLINC:+--clinc "$CLINC"}

# The vocabulary: from a part of the data, seeded.
for part in commands grounded manual talk copies; do shuf -n 8000 --random-source=<(yes) "$out/$part.jsonl"; done > "$out/vocabulary.jsonl"
$train tokenizer "$out/vocabulary.jsonl" --vocab 2048 --special "[INST]" --special "[/INST]" --chat-template models/data/chat-template.jinja -o "$out/vocab.gguf"

# Lines FROM..FROM+COUNT of a part into a stage's folder.
lines() { mkdir -p "$out/$1"; tail -n "+$3" "$out/$2.jsonl" | head -n "$4" > "$out/$1/$2.jsonl"; }
stage() { # NAME STEPS RATE SCHEDULE SEED FROM FILES...
  local name=$1 steps=$2 rate=$3 schedule=$4 seed=$5 from=$6; shift 6
  $train pretrain "$@" --vocab "$out/vocab.gguf" --config models/recipe/model.toml -o "$out/$name.gguf" ${from:+--resume "$out/$from.ckpt"} \
    --steps "$steps" --batch 2048 --lr "$rate" --warmup 150 --schedule "$schedule" --save-every 5 --seed "$seed" --eval "$out/heldout/talk.jsonl" --threads "$threads"
}

# 1: everything but practice.   2: practice in copying.   3: both.   4: what is measured, at a falling rate.
stage one 2506 3e-3 constant 1 "" "$out"/{commands,grounded,manual,talk,copies}.jsonl
lines two grounded 1 4000; lines two commands 1 25000
stage two 3035 2e-3 constant 2 one "$out"/{nonsense,recall,copies}.jsonl "$out"/two/*.jsonl
lines three commands 1 60000; lines three grounded 4001 14000; lines three recall 15001 10000; lines three nonsense 15001 10000
lines three copies 22001 3000; lines three talk 1 8000; lines three manual 1 1500
stage three 4422 2e-3 constant 3 two "$out"/three/*.jsonl
lines four commands 60001 62000; lines four grounded 18001 11500; lines four recall 23501 1500; lines four talk 25001 5000; lines four manual 2801 1200
stage four 6321 4e-3 cosine 4 three "$out"/four/*.jsonl

held="$out/heldout"
$evaluate "$out/four.gguf" --commands "$held/commands.jsonl" --grounded "$held/grounded.jsonl" --grounded "$held/grounded-questions.jsonl" \
  --grounded "$held/grounded-statements.jsonl" --grounded "$held/manual.jsonl"
echo "the model is $out/four.gguf; models/cloister-base.gguf is not touched"
