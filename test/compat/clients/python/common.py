"""What the Python clients share: the cases this process was started with, and one printed line for each."""

import json
import sys



def prompt(play):
    """What the scripted models understand."""
    return "CALL " + json.dumps({"tool": play["tool"], "arguments": play["arguments"]})


def root_of(error):
    """The error that a group of tasks wraps, however deep."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def told(error):
    error = root_of(error)
    return f"{type(error).__name__}: {error}"


def give_up_after(play):
    """Seconds after which the client does not wait any more; None waits."""
    return play["giveUpAfterMs"] / 1000 if "giveUpAfterMs" in play else None


async def play_all(play):
    """`play(case)` gives what was seen, as a dict."""
    for case in json.loads(sys.argv[1]):
        try:
            seen = await play(case)
        except (Exception, BaseExceptionGroup) as error:
            seen = {"listed": [], "text": told(error), "error": True}
        print(json.dumps({"case": case["case"], **seen}), flush=True)
