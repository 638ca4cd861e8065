"""Real eduMFA as the producer: gives jobs to its queue. Imported by the suite, in eduMFA's environment."""
import os
import sys


class Producer:
    def __init__(self, config_file):
        os.environ['EDUMFA_CONFIGFILE'] = config_file
        from edumfa.app import create_app
        self.app = create_app(config_name='production', silent=True, script=True)

    def enqueue(self, args, kwargs=None):
        """As `send_or_enqueue_email` does, for arguments that it would stumble over too."""
        from edumfa.lib.queue import get_job_queue
        from edumfa.lib.smtpserver import SEND_EMAIL_JOB_NAME
        # Some bodies are nested deeper than Python pickles by itself.
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(20_000)
        try:
            with self.app.app_context():
                get_job_queue().enqueue(SEND_EMAIL_JOB_NAME, args, kwargs or {})
        finally:
            sys.setrecursionlimit(limit)

    def send(self, config, *args, **kwargs):
        """The way that eduMFA's own code goes."""
        from edumfa.lib.smtpserver import send_or_enqueue_email
        with self.app.app_context():
            return send_or_enqueue_email(dict(config, enqueue_job=True), *args, **kwargs)

    def encrypt(self, password):
        from edumfa.lib.crypto import encryptPassword
        with self.app.app_context():
            return encryptPassword(password)
