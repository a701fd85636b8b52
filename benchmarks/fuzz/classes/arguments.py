"""What commands are given: what makes each short and sound, and values of every sort."""

from __future__ import annotations

from benchmarks.fuzz import materials as m

__all__ = ["BASES", "BRIEF", "FEW", "KNOWN", "NUMBERS", "TEXTS", "WRITTEN"]

_SIZE = "--size 8x8"
_PHOTOS = f"--data {m.PHOTOS}"

BASES: dict[str, str] = {
    "search": f"--budget 30K-params --space tiny --profile smoke {_PHOTOS} --trials 1 --workers 1 "
    "--timeout 5s --latency-size 8x8 --run out",
    "train": f"{m.CONFIG} --recipe {m.RECIPE} {_PHOTOS} --steps 2 --batch 1 --patch 32 "
    "--no-tensorboard --run out",
    "worker": f"--storage sqlite:///{m.RUN}/study.db --study {m.RUN} {_PHOTOS} --timeout 5s",
    "audit": f"{' '.join(m.AUDITED[1:])} {_PHOTOS}",
    "report": f"{m.RUN} -o out",
    "dashboard": f"{m.RUN} --no-browser --port 0",
    "export": f"{m.WEIGHTS} -o out.yaml",
    "describe": f"{m.CONFIG} --no-latency",
    "import": f"{m.CHECKPOINT} --preset rlfn -o out.safetensors",
    "evaluate": f"{m.WEIGHTS} --set a={m.PHOTOS}",
    "upscale": f"{m.PHOTOS}/0.png --net {m.WEIGHTS} -o out",
    "data preview": f"{_PHOTOS} --patch 32 --samples 2 -o out.png",
    "latency measure": f"{m.CONFIG} {_SIZE} --rounds 1 --reference {m.CONFIG}",
    "latency fit": f"--space tiny --networks 8 --held-out 1 --rounds 1 {_SIZE} -o out.yaml",
    "compress auto": f"{m.WEIGHTS} --budget 80% --no-int8 {_SIZE} --steps 0 {_PHOTOS} -o out",
    "compress distill": f"{m.CONFIG} --teacher {m.WEIGHTS} --profile smoke --steps 1 {_PHOTOS} "
    "-o out",
    "compress fold": f"{m.WEIGHTS} -o out",
    "compress prune": f"{m.WEIGHTS} --budget 80% {_PHOTOS} -o out",
    "compress quantize": f"{m.WEIGHTS} {_PHOTOS} --rounds 0 {_SIZE} -o out.onnx",
}
"""What makes a command short and sound; drawn options come behind, and take precedence."""

BRIEF = frozenset(
    ("describe", "export", "import", "evaluate", "upscale", "compress fold", "spaces", "presets",
     "published", "report", "data preview")
)  # fmt: skip
"""Commands that are over soon, whatever they are given."""

WRITTEN = frozenset(("output", "save", "csv", "run", "checkpoints", "storage", "study"))
"""Parameters that name what is written."""

_WORDS = (
    "x 0 1 -1 2.5 nan inf 1e999 é 😀 %s {} {0} $HOME * ~x - -- --help -o a=b = a= a,b , 1,2 0x10 "
    "1_000 ٣ None true best [ ( \\ ' \" CON . a/b/c nothing nothing.yaml nothing.safetensors empty "
    "empty/ pipe pipe.yaml loop out out.yaml out.onnx out.py out.pt new/out.png"
)
_DIGITS = (
    "0 1 2 3 4 5 7 16 -1 -0 100 100000 0.5 1e-9 -0.5 1e30 1e999 nan inf -inf x 0x10 1_0 ٣ 1,5 1e3"
)

# Nothing absolute and nothing upwards: what is taken for an output must lie in the case's folder.
TEXTS: tuple[str, ...] = (
    *_WORDS.split(),
    *(m.RUN, m.WEIGHTS, m.GRAPH, m.CHECKPOINT, m.CONFIG, m.SPACE, m.RECIPE, m.MODEL, m.PHOTOS),
    *(f"a={m.PHOTOS}", f"={m.PHOTOS}", f"{m.PHOTOS}/0.png", f"{m.PHOTOS}/0.png/x"),
    *("", " ", str(10**30), "9" * 5_000, "x" * 300, "x" * 5_000, "x=" * 2_000),
    *("\udcff", "\x1b[31mred", "a\nb", "a\tb", "\u202ex"),
)
NUMBERS: tuple[str, ...] = (
    *_DIGITS.split(),
    *("", " ", " 3", "9" * 5_000, "-1" + "0" * 30),
    *map(str, (2**31 - 1, 2**31, 2**63, 2**64, 10**30)),
)
"""The first few are sound ones."""

KNOWN: dict[str, str] = {
    "alpha": "bicubic network",
    "budget": "30K-params 1G-flops 80% 0% 100% -5% 1e-9% nan% 0-params -1K-params 1e400G-macs "
    "nanK-params infM-params 10ms-latency 0ms-latency 1MB-memory K-params 30K 5M-activations "
    "30k-PARAMS 1T-params 30K-psnr",
    "calibration": "percentile entropy minmax mse best",
    "checkpoints": f"out/kept memory://x x://y http://127.0.0.1:1/x file:out {m.PHOTOS}/0.png",
    "comparison": "l1 affinity gram",
    "compress_budget": "70% 1K-params 0% x",
    "data": f"{m.PHOTOS} empty {m.PHOTOS}/0.png pipe",
    "degradation": f"jpeg bicubic jpg {m.RECIPE} nothing.yaml",
    "device": "cpu cuda cuda:0 cuda:99 cpu:7 meta mps xla CPU",
    "dtype": "float32 bfloat16 float16 int8 float",
    "file_format": "png jpeg webp tiff bmp gif PNG yaml onnx litert ntire basicsr spandrel folder "
    "safetensors torchscript trainner neosr",
    "host": "127.0.0.1 ::1 256.1.1.1 x.invalid",
    "importance": "lamp l1 l2 group_norm taylor",
    "init": f"{m.WEIGHTS} {m.CHECKPOINT}",
    "lr": f"{m.PHOTOS} empty nothing",
    "lr_folders": f"a={m.PHOTOS} {m.PHOTOS} Set5=nothing",
    "keep_float": "stem stem,blocks blocks.0. ,,,",
    "latency_model": f"{m.MODEL} {m.CONFIG}",
    "latency_size": "8x8 0x5 8 30000x30000",
    "metrics": "psnr_rgb ms_ssim_y psnr_rgb,ms_ssim_y psnr_rgb,, lpips dists PSNR_RGB",
    "net": f"{m.WEIGHTS} {m.RUN} {m.GRAPH}",
    "network": f"{m.WEIGHTS} {m.CONFIG} {m.RUN} rlfn e_rfdn bicubic {m.GRAPH}",
    "networks": f"{m.WEIGHTS} {m.CONFIG} {m.RUN} rlfn {m.GRAPH}",
    "objectives": "psnr psnr,params params psnr,psnr psnr,, ssim,psnr,macs,latency,memory",
    "precision": "auto fp32 bf16 fp16",
    "prefer": "better cheaper best",
    "preset": "rlfn imdn e_rfdn RLFN",
    "profile": "smoke quick full Smoke",
    "published": "Set5 set5 DIV2K Set14",
    "recipe": f"fast imdn quick {m.RECIPE}",
    "reference": f"e_rfdn {m.CONFIG} {m.GRAPH}",
    "runtime": "torch onnxruntime openvino litert ncnn ONNX",
    "sampler": "tpe nsga2 nsga3 gp random TPE",
    "size": "8x8 1x1 0x0 -1x8 8 8x 8X8 8x8x8 100000x100000 1e3x8 ٣x٣ 8×8",
    "source": f"{m.WEIGHTS} {m.CONFIG} {m.RUN} {m.GRAPH}",
    "space": f"tiny distillation wide {m.SPACE}",
    "storage": f"sqlite:///out/x.db sqlite:///{m.RUN}/study.db sqlite:// memory x://y sqlite: "
    f"postgresql://127.0.0.1:1/x mysql://127.0.0.1:1/x redis://127.0.0.1:1 http://127.0.0.1:1 "
    f"sqlite:///{m.PHOTOS} sqlite:///{m.CONFIG} sqlite:///new/x.db postgresql:// sqlite:///%",
    "teacher": f"{m.WEIGHTS} {m.GRAPH} {m.CONFIG}",
    "test_set": f"Set5 Set5={m.PHOTOS} set5={m.PHOTOS} Set14 Urban100",
    "test_sets": f"a={m.PHOTOS} {m.PHOTOS} Set5=nothing a=pipe ../a=x",
    "timeout": f"1s 1 1h 0s -1s 1e3s .5m {'9' * 400}h 1d",
    "train_recipe": f"fast {m.RECIPE}",
    "trial": "best 0 5 05 -1 1e0",
    "val": f"{m.PHOTOS} a={m.PHOTOS} empty",
    "val_lr": f"{m.PHOTOS} a={m.PHOTOS} empty",
}
"""Values that mean something to a parameter, or nearly do."""

FEW: dict[str, tuple[str, ...]] = {
    "workers": ("0", "1", "2", "-1", "", "x", "1.5", "nan"),
    "processes": ("0", "1", "2", "-1", "", "x", "1.5", "3"),
    "engine": ("local", "", "Local", "dask"),
    "latency_command": (
        "echo 3 {yaml}",
        "",
        "echo 3",
        "echo {x}",
        "'",
        "nothing-here {onnx}",
        "\0",
    ),
}
"""Parameters that get no other values: a worker is a process, ray a cluster, a command is run."""
