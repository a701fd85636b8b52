"""Broken files, images, weights, databases and command lines, fed to the real command.

    python -m benchmarks.fuzz                               # the whole campaign
    python -m benchmarks.fuzz --class pth --cases 100       # a part of it
    python -m benchmarks.fuzz --case pth:17                 # one case, with all that it said

Each case is drawn from the seed, its class and its number, in a folder of its own, and ``nas`` runs
on it in a process of its own. It must end well, or refuse in one line with exit code 2; in little
time and memory; without harm to its inputs, without rubbish left behind, and without running
anything that a file asks for.
"""
