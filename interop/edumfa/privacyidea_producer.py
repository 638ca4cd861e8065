"""Real privacyIDEA as the producer, in its own environment: reads jobs as JSON lines from standard input, and sends each by its own code,
directly or by its queue. An answer for each is a line: true or false, or the exception."""
import json
import os
import sys
import warnings

warnings.simplefilter('ignore')
output = os.dup(1)
os.dup2(2, 1)

from privacyidea.app import create_app
from privacyidea.lib.crypto import encryptPassword
from privacyidea.lib.queue import get_job_queue
from privacyidea.lib.smtpserver import send_or_enqueue_email

app = create_app(config_name='production', config_file=os.environ['PRIVACYIDEA_CONFIGFILE'], silent=True)
for line in sys.stdin:
    job = json.loads(line)
    with app.app_context():
        try:
            config = dict(job['config'])
            for key in ('password', 'private_key_password'):
                if config.get(key):
                    config[key] = encryptPassword(config[key])
            if 'keywords' in job:
                get_job_queue().enqueue('smtpserver.send_email', [config] + job['arguments'], job['keywords'])
                answer = True
            else:
                answer = send_or_enqueue_email(config, *job['arguments'])
        except Exception as error:
            answer = '%s: %s' % (type(error).__name__, error)
    os.write(output, (json.dumps(answer) + '\n').encode())
