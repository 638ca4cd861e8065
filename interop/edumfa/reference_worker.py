"""Python's own `edumfa-queue-huey`, with the two names put back that it needs and that Flask and huey no longer have."""
import os
import runpy
import sys

import flask
from flask import globals as flask_globals
from huey import Huey


class ContextStack:
    """What `_app_ctx_stack.top.pop()` is now."""

    @property
    def top(self):
        return flask_globals._cv_app.get()


flask._app_ctx_stack = ContextStack()
Huey.register_pre_execute = lambda self, name, function: self.pre_execute(name)(function)
Huey.register_post_execute = lambda self, name, function: self.post_execute(name)(function)

script = os.path.join(os.path.dirname(sys.executable), 'edumfa-queue-huey')
sys.argv[0] = script
runpy.run_path(script, run_name='__main__')
