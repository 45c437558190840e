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
$corpus generate --seed 1 -o "$out" ${CLINC:+--clinc "$CLINC"} --text ${TEXTS:-docs/*.md} --requests "$(part 450000)" --passages "$(part 52000)" \
  --events "$(part 18000)" --stories "$(part 42000)" --copies "$(part 40000)" --talks "$(part 30000)" --pages "$(part 4000)"

# The vocabulary: from a part of the data, seeded.
for part in commands grounded manual talk copies; do shuf -n 8000 --random-source=<(yes) "$out/$part.jsonl"; done > "$out/vocabulary.jsonl"
$train tokenizer "$out/vocabulary.jsonl" --vocab 2048 --special "[INST]" --special "[/INST]" --chat-template models/data/chat-template.jinja -o "$out/vocab.gguf"

# COUNT lines from FROM on of a part into a stage's folder.
lines() { mkdir -p "$out/$1"; awk -v from="$(part "$3")" -v count="$(part "$4")" 'NR >= from && NR <= from + count' "$out/$2.jsonl" > "$out/$1/$2.jsonl"; }
stage() { # NAME STEPS RATE SCHEDULE SEED FROM: from the checkpoint of FROM with the data in the stage's folder
  $train pretrain "$out/$1"/*.jsonl --vocab "$out/vocab.gguf" --config models/recipe/model.toml -o "$out/$1.gguf" ${6:+--resume "$out/$6.ckpt"} \
    --steps "$(part "$2")" --batch 2048 --lr "$3" --warmup 20 --schedule "$4" --save-every 5 --seed "$5" --eval "$out/heldout/talk.jsonl" \
    --threads "$threads" ${BF16:+--bf16}
}

# 1: requests, facts, talk.   2: practice in copying.   3: both.   4: what is measured, at a lower rate.
lines one commands 1 250000; lines one grounded 1 26000; lines one manual 1 4000; lines one talk 1 30000; lines one copies 1 22000
stage one 2506 3e-3 constant 1 ""
lines two grounded 1 4000; lines two commands 1 25000; lines two nonsense 1 25000; lines two recall 1 25000; lines two copies 1 22000
stage two 3035 2e-3 constant 2 one
lines three commands 1 60000; lines three grounded 4001 14000; lines three recall 15001 10000; lines three nonsense 15001 10000
lines three copies 22001 3000; lines three talk 1 8000; lines three manual 1 1500
stage three 4422 2e-3 constant 3 two
lines four commands 60001 62000; lines four grounded 18001 11500; lines four recall 23501 1500; lines four talk 25001 5000; lines four manual 2801 1200
stage four 6321 1e-3 constant 4 three
# 5: facts again.   6: practice with a wide vocabulary.   7: passages and events as people write them.   8: the same anew.   9: half of it requests, falling.
lines five grounded 30000 22000; lines five commands 125000 40000; lines five talk 15000 6000; lines five manual 1 1200; lines five recall 1 4000
stage five 7003 1.5e-3 constant 5 four
lines six nonsense 1 40000; lines six recall 1 40000; lines six commands 165001 25000; lines six grounded 1 5000
stage six 7900 2e-3 constant 6 five
lines seven passages 1 30000; lines seven events 1 14000; lines seven grounded 5001 26000; lines seven commands 1 72000
lines seven recall 1 5000; lines seven nonsense 1 5000; lines seven talk 1 6000; lines seven manual 1 1500
stage seven 10250 2e-3 constant 7 six
lines eight passages 30001 12000; lines eight events 14001 4000; lines eight grounded 31001 9000; lines eight commands 1 60000
lines eight talk 6001 4000; lines eight manual 1501 1000
stage eight 11512 2e-3 constant 8 seven
lines nine commands 72001 45000; lines nine passages 36001 5500; lines nine events 16001 1500; lines nine grounded 37001 2500
lines nine talk 10001 2000; lines nine manual 2501 700
stage nine 12176 3e-3 wsd 9 eight

held="$out/heldout"
$train eval "$out/nine.gguf" --commands "$held/commands.jsonl" --grounded "$held/grounded.jsonl" --grounded "$held/grounded-questions.jsonl" \
  --grounded "$held/grounded-statements.jsonl" --grounded "$held/passages.jsonl" --grounded "$held/manual.jsonl" --talk "$held/talk.jsonl" --limit "${LIMIT:-1000}"
echo "the model is $out/nine.gguf; models/cloister-base.gguf is not touched"
