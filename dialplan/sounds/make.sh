#!/usr/bin/env bash
# Makes the prompts of prompts.tsv again: {en,nl,de}/<name>.wav, 8 kHz, 16 bit, mono. Needs espeak-ng and sox.
# The prompts are in the repository, so you need this only after a change. Recordings of your own with the same name work too.
set -euo pipefail
cd "$(dirname "$0")"

speak() { # speak LANGUAGE NAME TEXT; cuts silence at both ends
  mkdir -p "$1"
  espeak-ng -v "$1" -s 150 -p 45 --stdout "$3" |
    sox -D -t wav - -r 8000 -c 1 -b 16 "$1/$2.wav" \
      gain -6 silence 1 0.02 0.3% reverse silence 1 0.02 0.3% reverse highpass 200 norm -3 pad 0.05 0.1
}

while IFS=$'\t' read -r name en nl de; do
  case $name in '' | '#'*) continue ;; esac
  speak en "$name" "$en"
  speak nl "$name" "$nl"
  speak de "$name" "$de"
done < prompts.tsv
