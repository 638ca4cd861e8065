"""Ways to reach Redis, and losing it."""
import functools
from urllib.parse import quote

from harness import scenario as scenarios
from harness.servers import free_port

scenario = functools.partial(scenarios.scenario, redis='is about the connection to Redis')


def works(run):
    run.call('add', 1, 2)
    run.call('fail', 'boom')
    run.call('add', 3, 4, delay=3600)
    run.want_scheduled(1)


@scenario(tags=['databases'])
def database(run):
    """redis://host:port/3"""
    run.connect(run.server.url.rsplit('/', 1)[0] + '/3')
    works(run)


@scenario(tags=['databases'])
def database_in_the_query(run):
    """redis://host:port?db=4"""
    run.connect(run.server.url.rsplit('/', 1)[0] + '?db=4')
    works(run)


@scenario(tags=['databases'])
def unix_socket(run):
    """unix:///path?db=2"""
    run.connect('unix://%s?db=2' % run.server.socket)
    works(run)


@scenario()
def password(run):
    """redis://:password@host, percent-encoded."""
    secret = 'p@ss/w:rd %ü'
    server = run.own_server('--requirepass', secret)
    run.connect('redis://:%s@127.0.0.1:%d/0' % (quote(secret, safe=''), server.port))
    works(run)


@scenario()
def user(run):
    """An ACL user who may touch huey's keys only."""
    import redis
    server = run.own_server()
    admin = redis.Redis(unix_socket_path=server.socket)
    admin.execute_command('ACL', 'SETUSER', 'worker', 'on', '>secret', '~huey.*', '~interop:*', '+@all')
    run.connect('redis://worker:secret@127.0.0.1:%d/0' % server.port)
    works(run)


def tls_server(run):
    """A server with a certificate of its own, for localhost."""
    server = run.own_server(start=False)
    certificate, key = server.make_certificate()
    port = free_port()
    server.options = ('--tls-port', str(port), '--tls-cert-file', certificate, '--tls-key-file', key,
                      '--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no')
    server.start()
    return port, certificate


@scenario(tags=['tls'])
def tls(run):
    """rediss:// with a certificate authority that is named in the URL."""
    port, certificate = tls_server(run)
    run.connect('rediss://localhost:%d/0?ssl_ca_certs=%s' % (port, quote(certificate, safe='')))
    works(run)


@scenario(tags=['tls'])
def tls_unverified(run):
    """rediss:// without verification."""
    port, _ = tls_server(run)
    run.connect('rediss://127.0.0.1:%d/1?ssl_cert_reqs=none' % port)
    works(run)


@scenario()
def by_name(run):
    """localhost by name."""
    run.connect('redis://localhost:%d/0' % run.server.port)
    works(run)


@scenario(options=['-m', '0.5'])
def connections_killed(run):
    """Every connection is closed under the consumer; it goes on."""
    run.start()
    run.wait_result(run.call('add', 1, 2))
    run.redis.client_kill_filter(_type='normal', skipme=True)
    run.want_result(run.call('add', 3, 4))


@scenario(options=['-m', '0.5'])
def redis_restarts(run):
    """Redis goes away and comes back, empty, on the same port."""
    server = run.own_server()
    run.connect(server.url)
    run.start()
    run.wait_result(run.call('add', 1, 2))
    server.restart()
    run.connect(server.url)
    run.want_result(run.call('add', 3, 4))
    run.want_result(run.call('add', 5, 6, delay=1))
