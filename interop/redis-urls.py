#!/usr/bin/env python3
"""Writes what real redis-py makes of Redis URLs to Fixtures/redis-urls.json, which RedisTests compares itself with.

Needs redis-py (any release whose `redis.connection.parse_url` exists), and redis-sentinel-url from PyPI, whose reading of
sentinels' URLs (redis-py has none) is written beside. Connects to nothing. Text beside an address in
brackets is left out: CPython refuses it only from 3.13.1 on.
"""

import json
import pathlib
import platform

import redis
import redis_sentinel_url
from redis.connection import ConnectionPool, UnixDomainSocketConnection, SSLConnection, parse_url

URLS = """
redis://
redis://localhost
redis://localhost:6379
redis://localhost:6379/0
redis://localhost:6380/5
redis://LocalHost:6379/1
redis://127.0.0.1:7000/15
redis://[::1]:6379/2
redis://[2001:db8::1]/3
redis://[fe80::1%25eth0]:6379
redis://:6380
redis:///7
redis://host:0/1
redis://host:/1
redis://host:65535
redis://user:pass@host
redis://user:pass@host:6390/4
redis://:pass@host/1
redis://user@host/1
redis://user:@host/1
redis://:@host/1
redis://@host/1
redis://us%65r:p%40ss%2Fw%3Aord@host:1234/2
redis://user:p@ss@host/1
redis://user:a:b:c@host/1
redis://user:p%C3%A4ss@h%C3%B6st/1
redis://user:päss@höst/1
redis://user:bad%zzescape%4@host
redis://user:%FF%fe@host
redis://user:a+b@host
redis://ho%2Dst/1
redis://host/%31%30
redis://host/1/2
redis://host//3/
redis://host/abc
redis://host/1a
redis://host/-1
redis://host/+4
redis://host/1_0
redis://host/ 6
redis://host?db=3
redis://host/1?db=3
redis://host/1?db=
redis://host/1?db
redis://host/1?db=2&db=4
redis://host?db=%33
redis://host?db=1_1
redis://host?db=%201%20
redis://host?username=u&password=p
redis://a:b@host?username=u&password=p
redis://a@host?username=u&password=p
redis://host?password=p%2540+q%26
redis://host?client_name=my%20client
redis://host?client_name=a%3Db=c
redis://host?socket_timeout=2.5
redis://host?socket_timeout=1e1&socket_connect_timeout=.5
redis://host?socket_timeout=1_0.5
redis://host?socket_connect_timeout=3
redis://host?max_connections=7
redis://host?max_connections=0
redis://host?protocol=2
redis://host?health_check_interval=10&retry_on_timeout=yes&socket_keepalive=true
redis://host?decode_responses=True
redis://host;params=1/2
redis://host/1;x
redis://host/1#fragment
redis://host#/1
redis://host/1?db=2#?db=3
redis://user:pa#ss@host
redis://user:pa?ss@host
redis://user:pa/ss@host
redis://host:abc
redis://host:70000
redis://host:-1
redis://host: 1
redis://host:12:34
redis://[::1
redis://::1]
redis://[not-an-address]
redis://[127.0.0.1]
redis://[v1.x]:6379
redis://[::ffff:127.0.0.1]:1
redis://host?db=abc
redis://host?db=1.0
redis://host?db=0x1
redis://host?socket_timeout=abc
redis://host?socket_timeout=0x10
redis://host?socket_timeout=1__0
redis://host?max_connections=many
redis://host?max_connections=-1
redis://host?health_check_interval=x
redis://host?socket_read_size=x
redis://host?protocol=x
redis://host／path
redis://host?host=other
redis://?host=other&port=7001
rediss://
rediss://host:6390/1
rediss://user:pass@host?ssl_cert_reqs=none
rediss://host?ssl_cert_reqs=optional&ssl_ca_certs=%2Fetc%2Fca.pem
rediss://host?ssl_cert_reqs=required&ssl_certfile=/c.pem&ssl_keyfile=/k.pem&ssl_password=s
rediss://host?ssl_check_hostname=no
rediss://host?ssl_check_hostname=False
rediss://host?ssl_check_hostname=true&ssl_ca_path=/ca
rediss://host?ssl_cert_reqs=none&ssl_check_hostname=true
rediss://host?ssl_min_version=771&ssl_ciphers=ECDHE
rediss://host?ssl_min_version=x
rediss://host?ssl_cert_reqs=maybe
unix:///tmp/redis.sock
unix:///tmp/redis.sock?db=3
unix://user:pass@/tmp/redis.sock?db=1
unix://:pass@/tmp/redis.sock
unix://user@/tmp/redis.sock
unix:///tmp/a%20b%2Fc.sock
unix:///tmp/redis.sock?password=p&username=u&client_name=n
unix:///tmp/redis.sock?db=x
unix:///tmp/redis.sock/7
unix:///tmp/redis.sock?socket_timeout=1
unix://host/tmp/redis.sock
http://localhost
REDIS://localhost
Redis://localhost
redis:/localhost
redis:localhost
redis
localhost
localhost:6379
//localhost
valkey://host
redis ://host
""".split("\n")[1:-1] + [
    "",
    " redis://host",
    "redis://ho\tst/1",
    "redis://host/1\n",
    "redis://h\r\nost:63\n79",
    "redis://host?socket_timeout=inf",
    "redis://host/1?db=2&&x&",
    "redis://" + "h" * 300 + "/1",
]


# What redis-sentinel-url takes literally (escapes in a password, a user's name, brackets) is left out.
SENTINEL_URLS = """
redis+sentinel://localhost/mymaster
redis+sentinel://localhost:26379/mymaster/0
redis+sentinel://a:1,b:2,c:3/mymaster/4
redis+sentinel://a,b:2/mymaster
redis+sentinel://10.0.0.1:26380,10.0.0.2:26381/my-master.1/15
redis+sentinel://:secret@a:1,b:2/mymaster/1
redis+sentinel://user:se:cret@a/mymaster
redis+sentinel://a/mymaster?db=7
redis+sentinel://a/mymaster/3?db=7
redis+sentinel://a?service=other
redis+sentinel://a/mymaster?service=other
redis+sentinel://a/mymaster/2?socket_timeout=1.5
redis+sentinel://a/mymaster?socket_connect_timeout=.25
redis+sentinel://a/mymaster/
redis+sentinel://a/mymaster/abc
redis+sentinel://a:x/mymaster
redis+sentinel://a/mymaster?db=x
redis+sentinel://a/mymaster?socket_timeout=x
""".split("\n")[1:-1]


def sentinel_meaning(url):
    """The sentinels and the master's options, or None where redis-sentinel-url refuses the URL."""
    try:
        parsed = redis_sentinel_url.parse_sentinel_url(url)
    except ValueError:
        return None
    options = parsed.client_options
    return {
        "hosts": [list(host) for host in parsed.hosts],
        "service": parsed.default_client.service,
        "db": options.get("db", 0),
        "password": options.get("password"),
        "socket_timeout": options.get("socket_timeout"),
        "socket_connect_timeout": options.get("socket_connect_timeout"),
    }


def meaning(url):
    """The connection redis-py would make, or None where it refuses the URL."""
    try:
        pool = ConnectionPool.from_url(url)
        connection = pool.make_connection()
    except Exception as error:  # noqa: BLE001: which one differs between releases
        if "unexpected keyword" not in str(error):
            return None
        raise
    stated = parse_url(url)
    result = {
        "db": int(connection.db or 0),
        "username": connection.username or None,
        "password": connection.password or None,
        "client_name": connection.client_name or None,
        "tls": isinstance(connection, SSLConnection),
        "max_connections": pool.max_connections if stated.get("max_connections") else None,
        # redis-py's own defaults changed over the years; only what the URL states is compared.
        "socket_timeout": seconds(stated.get("socket_timeout")),
        "socket_connect_timeout": seconds(stated.get("socket_connect_timeout")),
    }
    if isinstance(connection, UnixDomainSocketConnection):
        result["path"] = connection.path
    else:
        result["host"] = connection.host
        result["port"] = int(connection.port)
    if isinstance(connection, SSLConnection):
        result["ssl"] = {
            "cert_reqs": connection.cert_reqs.name.removeprefix("CERT_").lower(),
            "check_hostname": bool(connection.check_hostname),
            "ca_certs": connection.ca_certs,
            "ca_path": connection.ca_path,
            "certfile": connection.certfile,
            "keyfile": connection.keyfile,
            "password": connection.certificate_password,
            "min_version": connection.ssl_min_version,
            "ciphers": connection.ssl_ciphers,
        }
    return result


def seconds(value):
    return "inf" if value == float("inf") else value


def main():
    cases = [{"url": url, "meaning": meaning(url)} for url in URLS]
    path = pathlib.Path(__file__).resolve().parent.parent / "Fixtures" / "redis-urls.json"
    document = {
        "redis_py": redis.__version__,
        "python": platform.python_version(),
        "cases": cases,
        "sentinels": [{"url": url, "meaning": sentinel_meaning(url)} for url in SENTINEL_URLS],
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=True) + "\n")
    refused = sum(case["meaning"] is None for case in cases)
    print(f"{path.name}: {len(cases)} URLs, {refused} of them refused by redis-py {redis.__version__}")


if __name__ == "__main__":
    main()
