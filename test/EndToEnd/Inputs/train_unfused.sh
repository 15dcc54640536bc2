# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# train_unfused.sh MODEL CPU STEPS DLC DLC-RUN MODELS: trains a model with and without fusion in the current folder, and compares
# the checkpoints. The data lie at paths that are relative to the folder of MODELS.
set -e
model=$1 cpu=$2 steps=$3 dlc=$4 run=$5 models=$6 folder=$PWD
$dlc compile $models/$model/$model.dl --cpu $cpu -o $model.dla
$dlc compile $models/$model/$model.dl --cpu $cpu --no-fuse -o $model-unfused.dla
cd $models/..
for form in $model $model-unfused; do
  $run train $folder/$form.dla --steps $steps --no-eval --threads 2 --save $folder/$form.safetensors
done
cd $folder
cmp $model.checkpoint.safetensors $model-unfused.checkpoint.safetensors
