#!/bin/bash
M=/work/main/interop
cd $(dirname $0)
PYTHONPATH="$M:$M/reference:." PYTHONDONTWRITEBYTECODE=1 exec $M/.env/venv/bin/python try.py "$@"
