"""BFCL's own checker, read from its wheel, and answers for it to judge: right ones and ones with a fault.

Of the checker's imports only the table of models pulls in others' libraries; it is asked one thing, whether a dot in a
function's name is an underscore, so a table that says yes stands in for it.
"""

import copy
import json
import sys
import types
import zipfile
from collections import defaultdict
from contextlib import contextmanager

DATA = "bfcl_eval/data"


@contextmanager
def checker(wheel):
    """`judge(category, functions, calls, answers)`: what the original says, true or false."""
    table = types.ModuleType("bfcl_eval.constants.model_config")
    table.MODEL_CONFIG_MAPPING = defaultdict(lambda: types.SimpleNamespace(underscore_to_dot=True))
    sys.modules[table.__name__] = table
    sys.path.insert(0, str(wheel))
    try:
        from bfcl_eval.constants.enums import Language
        from bfcl_eval.eval_checker.ast_eval.ast_checker import ast_checker

        def judge(category, functions, calls, answers):
            output = [{name: arguments} for name, arguments in calls]
            return ast_checker(functions, output, answers, Language.PYTHON, category, "any")["valid"]

        yield judge
    finally:
        sys.path.remove(str(wheel))
        for name in [name for name in sys.modules if name.split(".")[0] == "bfcl_eval"]:
            del sys.modules[name]


def entries(wheel, name):
    """The objects of one of BFCL's files, by id."""
    with zipfile.ZipFile(wheel) as members:
        lines = members.read(f"{DATA}/{name}").decode().splitlines()
    return {entry["id"]: entry for entry in map(json.loads, lines)}


def right_calls(answers, chance):
    """Calls that should be right: one of the acceptable values each, what may be left out in half of all cases."""
    calls = [(name.replace(".", "_"), _chosen(each, chance)) for call in answers for name, each in call.items()]
    chance.shuffle(calls)
    return calls


def _chosen(arguments, chance):
    kept = {key: values for key, values in arguments.items() if "" not in values or chance.random() < 0.5}
    return {key: _plain(_one(values, chance), chance) for key, values in kept.items()}


def _one(values, chance):
    return copy.deepcopy(chance.choice([value for value in values if value != ""] or [""]))


def _plain(value, chance):
    if isinstance(value, dict):
        return _chosen(value, chance)
    return [_plain(each, chance) for each in value] if isinstance(value, list) else value


def spoilt(calls, chance):
    """The calls with one fault, or with a change that BFCL's rules allow."""
    made = copy.deepcopy(calls)
    number = chance.randrange(len(made))
    name, arguments = made[number]
    fault = chance.choice(["value"] * 8 + ["extra", "name", "twice", "missing"])
    if fault == "value" and arguments:
        key = chance.choice(list(arguments))
        arguments[key] = _other(arguments[key], chance)
    elif fault == "extra":
        arguments["not_asked_for"] = 1
    elif fault == "name":
        made[number] = (f"{name}_2", arguments)
    elif fault == "twice":
        made.append(made[number])
    elif arguments:
        arguments.pop(next(iter(arguments)))
    return made


def _other(value, chance):
    kinds = {
        bool: lambda: [not value, int(value), str(value)],
        int: lambda: [value + 1, float(value), str(value), bool(value), [value]],
        float: lambda: [value + 0.5, int(value), str(value)],
        str: lambda: [value.upper(), value.replace(" ", "_"), f"{value}x", f"{value} .", "", [value], 5, None],
        list: lambda: [
            value[::-1],
            value[:-1],
            value + value[:1],
            [],
            [_other(each, chance) for each in value],
            "x",
            value[0] if value else 1,
        ],
        dict: lambda: [_without_one(value), {key: _other(each, chance) for key, each in value.items()}, {"x": 1}],
    }
    return chance.choice(kinds[type(value)]()) if type(value) in kinds else 1


def _without_one(value):
    return dict(list(value.items())[1:])
