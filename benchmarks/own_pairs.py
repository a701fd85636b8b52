"""What pairs of one's own gain: a search on them against one on bicubic LR, on the same images.

    SR_DATA=DATA python -m benchmarks.own_pairs --work WORK

Makes pairs as a user has them, in folders: the photos of T91 and BSD200 as HR, and as LR JPEG files
of quality 40 after bicubic x2; the last 20 of BSD200 by name are held out. Then, by the commands
that a user types and under the same budget, two searches, one on the pairs and one on the same HR
with LR by bicubic, each of which judges by photos that it sets apart itself; the winner of each is
trained on what it was found on, and both enlarge the held-out LR. A run in WORK that was stopped
goes on.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.hardware import header_line, write_result
from benchmarks.research_data import research_data
from nas.data.degradation import bicubic_down, mod_crop
from nas.data.image_file import decode_rgb

SCALE, QUALITY, HELD_OUT = 2, 40, 20
GOAL_DB = 0.3
SPACE, BUDGET = "fast-luma", "30K-params"


def make_pairs(data: Path, work: Path) -> dict[str, int]:
    """Folders ``train`` and ``held_out`` in ``work``, each with ``hr`` and ``lr``; their sizes."""
    bsd = sorted((data / "train" / "BSD200").glob("*.*"))
    t91 = sorted((data / "train" / "T91").glob("*.*"))
    parts = {"train": [*t91, *bsd[:-HELD_OUT]], "held_out": bsd[-HELD_OUT:]}
    for part, files in parts.items():
        for kind in ("hr", "lr"):
            (work / part / kind).mkdir(parents=True, exist_ok=True)
        for file in files:
            stem, hr = f"{file.parent.name}_{file.stem}", mod_crop(decode_rgb(file), SCALE)
            lr = Image.fromarray(bicubic_down(hr, SCALE))
            Image.fromarray(hr).save(work / part / "hr" / f"{stem}.png")
            lr.save(work / part / "lr" / f"{stem}x{SCALE}.jpg", quality=QUALITY)
    return {part: len(files) for part, files in parts.items()}


def nas(*words: object) -> str:
    """What a command of ours prints.

    Raises:
        SystemExit: it failed.
    """
    typed = [str(word) for word in words]
    print("nas", shlex.join(typed), flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "nas.cli.main", *typed], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def found(
    name: str, pairs: Sequence[object], work: Path, trials: int, steps: int
) -> dict[str, Any]:
    """The winner of a search, trained, and its figures on the held-out pairs."""
    run, trained = work / f"search-{name}", work / f"trained-{name}"
    nas(
        "search", "--budget", BUDGET, "--space", SPACE, "--scale", SCALE, "--trials", trials,
        "--objectives", "psnr", "--workers", 1, "--run", run, *pairs,
    )  # fmt: skip
    nas("train", run, "best", "--steps", steps, "--no-tensorboard", "--run", trained)
    held = work / "held_out"
    told = nas(
        "evaluate", trained / "best.safetensors", "--set", f"held_out={held / 'hr'}",
        "--lr", f"held_out={held / 'lr'}", "--json",
    )  # fmt: skip
    facts = json.loads(told)
    (one,) = facts["sets"]
    return {
        "searched_and_trained_on": name,
        "hash": facts["hash"],
        "params": facts["params"],
        "psnr_y_db": one["psnr_y_db"],
        "ssim_y": one["ssim_y"],
        "bicubic_psnr_y_db": one["bicubic"]["psnr_y_db"],
    }


def main() -> None:
    """Make pairs, search, train, measure, write results/own_pairs.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--work", type=Path, required=True, help="folder for pairs and runs")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--steps", type=int, default=3000, help="of each winner's training")
    parser.add_argument("--no-write", action="store_true", help="leave the stored result alone")
    arguments = parser.parse_args()
    print(header_line())
    work = arguments.work
    photos = make_pairs(research_data(), work)
    hr, lr = ("--data", work / "train" / "hr"), ("--lr", work / "train" / "lr")
    rows = [
        found(name, given, work, arguments.trials, arguments.steps)
        for name, given in (("pairs", (*hr, *lr)), ("bicubic", hr))
    ]
    for row in rows:
        print(
            "on {searched_and_trained_on:7} {params:6} parameters, {psnr_y_db:.3f} dB, SSIM "
            "{ssim_y:.4f}; bicubic upscaling {bicubic_psnr_y_db:.3f} dB".format(**row)
        )
    gain_db = rows[0]["psnr_y_db"] - rows[1]["psnr_y_db"]
    print(f"pairs gain {gain_db:.3f} dB (goal: {GOAL_DB})")
    if not arguments.no_write:
        facts = {
            "scale": SCALE, "quality": QUALITY, "photos": photos, "space": SPACE,
            "budget": BUDGET, "trials": arguments.trials, "train_steps": arguments.steps,
            "rows": rows, "gain_db": round(gain_db, 3), "goal_db": GOAL_DB,
        }  # fmt: skip
        print("wrote", write_result("own_pairs", facts).name)


if __name__ == "__main__":
    main()
