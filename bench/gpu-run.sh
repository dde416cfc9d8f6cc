#!/usr/bin/env bash
# Measures everything that Tapedeck says about a GPU, in steps that are resumed where they stopped.
#
#   bench/gpu-run.sh [--out DIR] [--device NAME] [--seconds N] [--size SIZE] [--python COMMAND]
#                    [STAGE ...]
#
# Stages, in this order where none is named:
#   info     the card, its driver, devices with extensions, whether tensor cores are usable, Python
#   check    every operation, type and gradient against the float64 reference, in parts
#   tune     kernel parameters; later stages use what it finds
#   bench    every workload on the device and on the CPU backend, and the host's part
#   peers    every workload in turns with PyTorch (eager, compiled) and JAX
#   kernels  the time of each kernel, recorded by the device
#   tornado  the main job through TornadoVM, where the bundle has it
#   report   the tables of targets from all reports so far
#
# Each step writes its results into DIR as it ends and is not run again while they are there, so
# calling the same line again goes on where the last call stopped. No step starts once N seconds are
# over, and none runs longer than what is left of them.
set -uo pipefail
# In an empty environment bash makes a PATH of its own, which drivers and Python need too.
export PATH

out=gpu-results device=opencl:0 seconds=0 size=large python=python3
effort=quick parts=8 tune_seconds=330 samples=11 limit=2 warm_up=0.3
declare -a stages=()
die() { printf 'gpu-run: %s\n' "$*" >&2; exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    --out | --device | --seconds | --size | --python | --parts | --tune-seconds | --samples | --effort)
      [ $# -ge 2 ] || die "$1 needs a value"
      name=${1#--}
      declare "${name//-/_}=$2"
      shift 2
      ;;
    info | check | tune | bench | peers | kernels | tornado | report) stages+=("$1"); shift ;;
    -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    *) die "there is no '$1'; see --help" ;;
  esac
done
[ ${#stages[@]} -gt 0 ] || stages=(info check tune bench peers kernels tornado report)

home=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$out" || die "cannot write to $out"
out=$(cd "$out" && pwd)
started=$SECONDS
works=(matmul mlp mlp-wide black-scholes per-example rows gmm)
failed=0 left=0

# step NAME COMMAND ...: runs the command unless it has ended before. What it prints is in NAME.txt.
step() {
  local name=$1 rest=0 code begin=$SECONDS
  shift
  [ ! -e "$out/$name.done" ] || { echo "done before  $name"; return; }
  if [ "$seconds" -gt 0 ]; then
    rest=$((seconds - (SECONDS - started)))
    [ "$rest" -gt 5 ] || { echo "left         $name"; left=$((left + 1)); return; }
  fi
  if [ "$rest" -gt 0 ] && [ "$(type -t "$1")" = file ] && command -v timeout >/dev/null; then
    timeout -k 5 "$rest" "$@" >"$out/$name.txt" 2>&1 </dev/null
  else
    "$@" >"$out/$name.txt" 2>&1 </dev/null
  fi
  code=$?
  printf '{"step": "%s", "exit": %d, "seconds": %d}\n' "$name" "$code" $((SECONDS - begin)) \
    >>"$out/steps.jsonl"
  case $code in
    0) touch "$out/$name.done"; echo "ok    $((SECONDS - begin)) s  $name" ;;
    124 | 137) left=$((left + 1)); echo "cut   $((SECONDS - begin)) s  $name" ;;
    *)
      failed=$((failed + 1))
      echo "FAIL  $((SECONDS - begin)) s  $name (code $code): $(tail -n 1 "$out/$name.txt")"
      ;;
  esac
}

# The same for a verb of the launcher, with the parameters that were found so far.
verb() {
  local name=$1 flags=()
  shift
  [ ! -e "$out/tuning.json" ] || flags+=("-Dtapedeck.tuning=$out/tuning.json")
  step "$name" "$home/tapedeck" ${flags[@]+"${flags[@]}"} "$@"
}

card() {
  nvidia-smi || echo "no nvidia-smi"
  nvidia-smi -q 2>/dev/null | grep -E "Product Name|Driver|CUDA|Graphics|SM  |Memory  |Power Limit"
  return 0
}

libraries() {
  "$python" -c '
import importlib, platform
print("python", platform.python_version())
for name in ("numpy", "torch", "triton", "jax", "jaxlib"):
    try:
        print(name, importlib.import_module(name).__version__)
    except Exception as e:
        print(name, "is missing:", e)
' || echo "no Python: $python"
}

run_info() {
  step info-card card
  step info-libraries libraries
  verb info-devices devices
}

run_check() {
  local k
  for k in $(seq "$parts"); do
    verb "check-$k" selfcheck --device "$device" --effort "$effort" --part "$k/$parts" \
      --json "$out/check-$k.json"
  done
}

run_tune() {
  local kind third=$((tune_seconds / 6)) share quick=()
  [ "$size" != small ] || quick=(--quick)
  for kind in matmul reduce elementwise; do
    share=$third
    [ "$kind" != matmul ] || share=$((4 * third))
    [ "$share" -gt 0 ] || share=1
    verb "tune-$kind" tune --device "$device" --work "$kind" --budget "$share" ${quick[@]+"${quick[@]}"} \
      --out "$out/tuning.json" --json "$out/tune-$kind.json"
  done
}

# compare NAME WORK ...: a workload on the device with further options.
compare() {
  local name=$1 work=$2
  shift 2
  verb "$name-$work" bench --work "$work" --device "$device" --size "$size" --samples "$samples" \
    --limit "$limit" --warm-up "$warm_up" --json "$out/$name-$work.json" "$@"
}

run_bench() {
  local w
  for w in "${works[@]}"; do compare bench "$w"; done
  verb bench-host bench --work host --device "$device" --quick --no-cpu --json "$out/bench-host.json"
}

run_peers() {
  local w
  for w in "${works[@]}"; do
    compare peers "$w" --no-cpu --peers torch-eager,torch-compile,jax --python "$python"
  done
}

run_kernels() {
  local w
  for w in "${works[@]}"; do compare kernels "$w" --no-cpu --kernels; done
}

run_tornado() {
  [ -d "$home/tornado" ] || { echo "no TornadoVM in this bundle"; return; }
  verb tornado-selfcheck selfcheck --device tornado:0 --effort quick --part "1/$parts" \
    --json "$out/tornado-check.json"
  verb tornado-bench bench --quick --device tornado:0 --device "$device" --data digits \
    --json "$out/tornado-bench.json"
}

run_report() {
  "$home/tapedeck" bench --targets "$out" 2>&1 | tee "$out/report.txt"
}

for stage in "${stages[@]}"; do
  echo "-- $stage"
  "run_$stage"
done
echo "-- $((SECONDS - started)) s; $failed failed, $left left for the next call; results in $out"
[ "$failed" -eq 0 ] && [ "$left" -eq 0 ]
