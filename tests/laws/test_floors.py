"""The laws of the building: imports go down, nothing unsafe or unseeded is called, light words stay light."""

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "zeuxis"
FILES = sorted(PACKAGE.rglob("*.py"))
NAMES = [str(f.relative_to(ROOT)) for f in FILES]

HEAVY = {"torch", "numpy", "PIL", "tyro", "rich", "matplotlib", "scipy", "sklearn", "skimage", "pydantic", "jinja2"}
"""What the light words may not load."""

UNSAFE_MODULES = {"pickle", "cPickle", "_pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
UNSAFE_CALLS = {
    "eval",
    "exec",
    "torch.load",
    "torch.save",
    "torch.jit.load",
    "torch.jit.save",
    "torch.hub.load",
    "torch.hub.load_state_dict_from_url",
    "torch.package.PackageImporter",
    "numpy.save",
}
"""Formats that can run code when they are read, and code from text; numpy.load needs allow_pickle for that."""
CONVERTER = "zeuxis/weights/convert.py"
"""The one file that may read another format than safetensors, with a restricted reader."""

GENERATOR_CALLS = {
    f"torch.{name}"
    for name in (
        "rand randn randint randperm rand_like randn_like randint_like normal bernoulli multinomial poisson "
        "binomial dropout feature_dropout alpha_dropout rrelu seed manual_seed initial_seed set_rng_state "
        "default_generator cuda.manual_seed cuda.manual_seed_all cuda.seed cuda.set_rng_state "
        "nn.Dropout nn.Dropout1d nn.Dropout2d nn.Dropout3d nn.AlphaDropout nn.FeatureAlphaDropout nn.RReLU "
        "nn.functional.dropout nn.functional.dropout1d nn.functional.dropout2d nn.functional.dropout3d "
        "nn.functional.alpha_dropout nn.functional.rrelu nn.functional.gumbel_softmax "
        "nn.functional.fractional_max_pool2d"
    ).split()
}
GENERATOR_METHODS = {f"{name}_" for name in "normal uniform bernoulli random exponential geometric cauchy".split()} | {
    "log_normal_",
    "multinomial",
}
"""Tensor methods that draw from the process-wide generator."""
INITIALISERS = ("zeuxis/nets/", "zeuxis/recipes/")
"""Where weights are first made, which the engine does under a forked, seeded generator."""
SEEDS_THE_FORK = {"zeuxis/engine/state.py"}
"""The file of the engine that forks and seeds that generator."""


def tree_of(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_bytes(), name)


def long_names(tree: ast.AST) -> dict[str, str]:
    """Local name of everything imported, at any depth, by its full dotted name."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {
                a.asname or a.name.partition(".")[0]: a.name if a.asname else a.name.partition(".")[0]
                for a in node.names
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return found


def dotted(node: ast.AST, names: dict[str, str]) -> str:
    """`np.random.rand` as "numpy.random.rand", given what `np` was imported as; "" for anything but names and dots."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        base = dotted(node.value, names)
        return f"{base}.{node.attr}" if base else ""
    return ""


def modules_imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{a.name}") for a in node.names)


def unsafe(name: str, tree: ast.Module) -> list[str]:
    if name == CONVERTER:
        return []
    names = long_names(tree)
    found = [f"{name}:{line} imports {m}" for line, m in modules_imported(tree) if m.split(".")[0] in UNSAFE_MODULES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and dotted(node, names) in UNSAFE_CALLS:
            found.append(f"{name}:{node.lineno} uses {dotted(node, names)}")
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            found.append(f"{name}:{node.lineno} allows pickle")
    return found


def unseeded(name: str, tree: ast.Module) -> list[str]:
    """Uses of numpy's or Python's generators, and of torch's outside the initialisation of networks."""
    names = long_names(tree)
    found = [
        f"{name}:{line} imports {m}" for line, m in modules_imported(tree) if m.split(".")[0] in ("random", "secrets")
    ]
    for node in ast.walk(tree):
        full = dotted(node, names) if isinstance(node, ast.Name | ast.Attribute) else ""
        if full.startswith("numpy.random"):
            found.append(f"{name}:{node.lineno} uses {full}")
        if full in GENERATOR_CALLS and not name.startswith(INITIALISERS) and name not in SEEDS_THE_FORK:
            found.append(f"{name}:{node.lineno} uses {full}")
    if name.startswith(INITIALISERS):
        found += outside_initialisers(name, tree, names)
    else:
        found += [f"{name}:{node.lineno} calls .{node.func.attr}()" for node in method_draws(tree, names)]
    return found


def method_draws(tree: ast.AST, names: dict[str, str]) -> Iterator[ast.Call]:
    """Calls such as `x.normal_()`; `nn.init.normal_(x)` counts too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in GENERATOR_METHODS:
            yield node


def outside_initialisers(name: str, tree: ast.Module, names: dict[str, str]) -> list[str]:
    """Draws in functions that run while training: forward, losses, decode, score and the like."""
    running = ("forward", "decode", "latents", "logits", "features", "restore", "score", "prepare", "judge")
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        if function.name not in running and not function.name.endswith("_loss"):
            continue
        for node in ast.walk(function):
            full = dotted(node, names) if isinstance(node, ast.Name | ast.Attribute) else ""
            if full in GENERATOR_CALLS:
                found.append(f"{name}:{node.lineno} uses {full} in {function.name}")
        found += [f"{name}:{n.lineno} calls .{n.func.attr}() in {function.name}" for n in method_draws(function, names)]
    for node in ast.walk(tree):
        full = dotted(node, names) if isinstance(node, ast.Name | ast.Attribute) else ""
        if full.rpartition(".")[2] in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "RReLU"):
            if full in GENERATOR_CALLS:
                found.append(f"{name}:{node.lineno} uses {full}: noise inside a net is bound to the draw")
    return found


def private_imports(name: str, tree: ast.Module) -> list[str]:
    """Imports of `_name` from another package of the house."""
    here = name.removesuffix(".py").replace("/", ".").rpartition(".")[0]
    return [
        f"{name}:{line} imports {full}"
        for line, full in modules_imported(tree)
        if full.startswith("zeuxis.")
        and any(part.startswith("_") and not part.startswith("__") for part in full.split("."))
        and ".".join(full.split(".")[: here.count(".") + 1]) != here
    ]


def too_long(name: str, tree: ast.Module) -> list[str]:
    lines = (ROOT / name).read_text().count("\n")
    found = [f"{name} has {lines} lines"] if lines > 400 else []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            # the arguments of a word are a table for people, not work
            start = node.body[0].lineno if name.startswith("zeuxis/words/") else node.lineno
            if (length := node.end_lineno - start + 1) > 80:
                found.append(f"{name}:{node.lineno} {node.name} has {length} lines")
    return found


def recipes_of_recipes(name: str, tree: ast.Module) -> list[str]:
    """A recipe is a leaf: what recipes share lies in nets, losses and recipe.py, or in a `_private` module."""
    if not name.startswith("zeuxis/recipes/"):
        return []
    return [
        f"{name}:{line} imports {full}"
        for line, full in modules_imported(tree)
        if full.startswith("zeuxis.recipes.") and not full.split(".")[2].startswith(("recipe", "_"))
    ]


LAWS = {
    "nothing that runs code from a file or a text": unsafe,
    "no randomness but the draw": unseeded,
    "private names stay in their package": private_imports,
    "functions to 80 lines, files to 400": too_long,
    "no recipe knows another": recipes_of_recipes,
}


@pytest.mark.parametrize("law", LAWS)
def test_law_of_the_syntax_tree(law: str) -> None:
    broken = [line for name in NAMES for line in LAWS[law](name, tree_of(name))]
    assert not broken, f"{law}:\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("name", "text", "law"),
    [
        ("zeuxis/x.py", "import pickle", unsafe),
        ("zeuxis/x.py", "from joblib import dump", unsafe),
        ("zeuxis/x.py", "import torch as t\nt.load('f')", unsafe),
        ("zeuxis/x.py", "from torch import save", None),
        ("zeuxis/x.py", "from torch import save\nsave(1, 'f')", unsafe),
        ("zeuxis/x.py", "eval('1')", unsafe),
        ("zeuxis/x.py", "net.eval()", None),
        ("zeuxis/x.py", "import re\nre.compile('a')", None),
        ("zeuxis/x.py", "import numpy as np\nnp.load('f', allow_pickle=True)", unsafe),
        ("zeuxis/x.py", "import numpy as np\nnp.load('f', allow_pickle=False)", None),
        ("zeuxis/weights/convert.py", "import pickle", None),
        ("zeuxis/x.py", "import random", unseeded),
        ("zeuxis/x.py", "import numpy as np\nnp.random.default_rng(0)", unseeded),
        ("zeuxis/x.py", "from numpy.random import default_rng\ndefault_rng(0)", unseeded),
        ("zeuxis/x.py", "import torch\ntorch.randn(3)", unseeded),
        ("zeuxis/x.py", "from torch import nn\nnn.functional.dropout(x)", unseeded),
        ("zeuxis/x.py", "x.normal_()", unseeded),
        ("zeuxis/x.py", "draw.at('z').normal(3)", None),
        ("zeuxis/nets/x.py", "import torch\ndef init(w):\n    w.normal_()\n    return torch.randn(3)", None),
        ("zeuxis/nets/x.py", "import torch\ndef forward(self, x):\n    return x + torch.randn_like(x)", unseeded),
        ("zeuxis/nets/x.py", "from torch import nn\ndef make():\n    return nn.Dropout(0.5)", unseeded),
        ("zeuxis/recipes/x.py", "def critic_loss(self, m):\n    return m.x.bernoulli_(0.5)", unseeded),
        ("zeuxis/jobs/x.py", "from zeuxis.engine.loop import _step", private_imports),
        ("zeuxis/engine/x.py", "from zeuxis.engine.loop import _step", None),
        ("zeuxis/recipes/x.py", "from zeuxis.recipes.dcgan import DCGAN", recipes_of_recipes),
        ("zeuxis/recipes/x.py", "from zeuxis.recipes import dcgan", recipes_of_recipes),
        ("zeuxis/recipes/x.py", "from zeuxis.recipes.recipe import Recipe", None),
    ],
)
def test_the_laws_catch_what_they_forbid(name: str, text: str, law: object) -> None:
    tree = ast.parse(text)
    checks = (unsafe, unseeded, private_imports, recipes_of_recipes)
    assert [check for check in checks if check(name, tree)] == ([law] if law else [])


def test_imports_go_down_the_floors() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


LIGHT = [
    ["--help"],
    ["--version"],
    ["completion", "bash"],
    ["completion", "zsh"],
    ["completion", "fish"],
    ["train", "--help"],
    ["train", "cgan", "--help"],
    ["train", "R3GAN", "--help"],
    ["restore", "--help"],
    ["data", "list"],
    ["data", "list", "--json"],
]
REFUSED = [
    ["train", "cgan", "nowhere", "--run", "r", "--steps", "2"],
    ["train", "cgan", "fashion-mini", "--run", "r", "--steps", "2", "--width", "wide"],
    ["augment", "nowhere", "--study", "s"],
    ["train", "cgam", "fashion-mini", "--run", "r", "--steps", "2"],
    ["sample", "nowhere", "--out", "o"],
    ["report", "nowhere"],
    ["resume", "nowhere"],
    ["restore", "nowhere.jpg"],
    ["upscale", "nowhere/*.jpg"],
    ["translate", "nowhere.jpg", "--run", "r"],
    ["data", "show", "nowhere"],
    ["data", "export", "nowhere", "--out", "o"],
    ["data", "degrade", "nowhere", "o"],
]
"""What is wrong at first sight is refused before anything heavy is loaded."""


def _modules_of(words: list[str], folder: Path) -> tuple[int, set[str], str]:
    """The exit code of a command, what it loaded, and what it printed."""
    code = (
        "import json, sys\n"
        f"sys.argv = ['zeuxis', *{words!r}]\n"
        "from zeuxis.cli import main\n"
        "try:\n    code = main()\nexcept SystemExit as end:\n    code = end.code\n"
        "print(json.dumps([code or 0, sorted(m for m in sys.modules if '.' not in m)]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    ended, modules = json.loads(done.stderr.splitlines()[-1])
    return ended, set(modules), done.stdout


@pytest.mark.parametrize("words", LIGHT, ids=" ".join)
def test_light_words_load_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code, modules, out = _modules_of(words, tmp_path)
    assert code == 0
    assert out.strip(), "the words answer on stdout"
    assert not HEAVY & modules


@pytest.mark.parametrize("words", REFUSED, ids=" ".join)
def test_a_wrong_path_loads_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code, modules, out = _modules_of(words, tmp_path)
    assert (code, out) == (2, "")
    assert not HEAVY & modules


def test_the_package_loads_its_words_when_they_are_asked_for() -> None:
    code = "import sys, zeuxis\nprint(sorted({m.partition('.')[0] for m in sys.modules}))\nzeuxis.restore"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ})
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(ast.literal_eval(done.stdout))


OLD = (
    r"\b(Moment|Mover|Levers|Habits|HABITS|Feeder|feeder|Watcher|Doubts?|doubt_for|Observed|Observes|play_run|Game|PEERS|peers)\b",
    r"\b(def settle|suspects\.(png|json)|write_suspects|Suspect)\b",
    r"\b(twin|twins) of a network|\baveraged twin\b|nets of other people|\bforeign nets?\b",
)
"""Names of the house's first years for which the field has others, and what they were called in prose."""


def test_no_old_name_is_left(project: Path) -> None:
    kept = [*(project / "zeuxis").rglob("*.py"), *(project / "docs").glob("*.md"), project / "README.md"]
    found = [f"{path.name}: {m[0]}" for path in kept for old in OLD for m in re.finditer(old, path.read_text("utf-8"))]
    assert not found


SAME = {
    "__init__",
    "train",
    "sample",
    "study",
    "restore",
    "upscale",
    "translate",
    "inpaint",
    "sparse",
    "dcgan",
    "mlp",
    "arms",
    "uncertainty",
}
"""Files of one name that are about one thing on several floors: a word and its job, a recipe and its nets or page, a
method for two tasks."""


def test_no_two_files_of_one_name_mean_different_things(project: Path) -> None:
    """`masks`, `noise`, `strips` and so on were two or three things each."""
    names = Counter(path.stem for path in (project / "zeuxis").rglob("*.py"))
    allowed = SAME | {"__init__", "fidelity", "classification", "augment"}  # losses and metrics of one kind
    allowed |= {"gan"}  # a treatment bears the name that is typed
    assert {name for name, n in names.items() if n > 1} <= allowed
