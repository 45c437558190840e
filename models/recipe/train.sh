#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Makes models/cloister-base.gguf anew, from the sources in models/data, on a CPU. Run it in the repository's root.
#   CLINC=FILE      CLINC150's train/validation file (JSON); without it the data are smaller
#   TEXTS=FILES     texts whose words are practised with [docs/*.md]
#   THREADS=N       threads [2]; the weights do not depend on it
#   OUT=DIR         folder for data and checkpoints [target/base]
#   STEPS_SCALE=X   part of all steps and data, to try the recipe [1]
#   BF16=1          products in BF16, as the published model was made: twice as fast, other bits on other processors
set -eu
threads=${THREADS:-2} out=${OUT:-target/base} scale=${STEPS_SCALE:-1}
cargo build --release -q -p tools-corpus -p tools-train -p tools-eval
corpus=target/release/cloister-corpus train=target/release/cloister-train
part() { awk -v n="$1" -v scale="$scale" 'BEGIN { printf "%d", n * scale + 1 }'; }
mkdir -p "$out"
# shellcheck disable=SC2086 # several files
$corpus generate --seed 1 -o "$out" ${CLINC:+--clinc "$CLINC"} --text ${TEXTS:-docs/*.md} --requests "$(part 1000000)" --passages "$(part 44000)" \
  --events "$(part 7500)" --stories "$(part 54000)" --copies "$(part 40000)" --talks "$(part 36000)" --pages "$(part 4500)"

# The vocabulary: from a part of the data, seeded.
for part in commands grounded manual talk copies; do shuf -n 8000 --random-source=<(yes) "$out/$part.jsonl"; done > "$out/vocabulary.jsonl"
$train tokenizer "$out/vocabulary.jsonl" --vocab 2048 --special "[INST]" --special "[/INST]" --chat-template models/data/chat-template.jinja -o "$out/vocab.gguf"

# COUNT lines from FROM on of a part into a stage's folder.
lines() { mkdir -p "$out/$1"; awk -v from="$(part "$3")" -v count="$(part "$4")" 'NR >= from && NR <= from + count' "$out/$2.jsonl" > "$out/$1/$2.jsonl"; }
stage() { # NAME STEPS RATE SCHEDULE SEED FROM BATCH: from the checkpoint of FROM with the data in the stage's folder
  $train pretrain "$out/$1"/*.jsonl --vocab "$out/vocab.gguf" --config models/recipe/model.toml -o "$out/$1.gguf" ${6:+--resume "$out/$6.ckpt"} \
    --steps "$(part "$2")" --batch "$7" --lr "$3" --warmup 20 --schedule "$4" --save-every 5 --seed "$5" --eval "$out/heldout/talk.jsonl" \
    --threads "$threads" --answers quotations ${BF16:+--bf16}
}

# 1: requests, facts, talk.   2: practice in copying and finding.   3: everything, mostly passages.   4: the same with larger steps and more requests, the rate falling.
lines one commands 1 100000; lines one grounded 1 26000; lines one manual 1 1000; lines one talk 1 10000; lines one copies 1 12000
stage one 2500 3e-3 constant 1 "" 2048
lines two nonsense 1 25000; lines two recall 1 25000; lines two lookup 1 5000; lines two copies 12001 22000; lines two commands 1 25000; lines two grounded 1 4000
stage two 4400 2e-3 constant 2 one 2048
lines three passages 1 130000; lines three events 1 18000; lines three grounded 26001 60000; lines three commands 100001 100000
lines three talk 10001 8000; lines three manual 1001 3500; lines three recall 25001 4000; lines three copies 34001 4000
stage three 22000 2e-3 constant 3 two 2048
lines four passages 130001 140000; lines four events 18001 12000; lines four grounded 86001 90000; lines four commands 200001 700000
lines four talk 18001 16000; lines four manual 4501 5000; lines four copies 38001 1500
stage four 34500 1.7e-3 wsd 4 three 4096

held=models/heldout # drawn once (seed 1), so that models can be compared while the texts grow; a draw of today's texts is in $out/heldout
$train eval "$out/four.gguf" --commands "$held/commands.jsonl" --grounded "$held/grounded.jsonl" --grounded "$held/grounded-questions.jsonl" \
  --grounded "$held/grounded-statements.jsonl" --grounded "$held/passages.jsonl" --grounded "$held/manual.jsonl" --talk "$held/talk.jsonl" --limit "${LIMIT:-1000}"
echo "the model is $out/four.gguf; models/cloister-base.gguf is not touched"
