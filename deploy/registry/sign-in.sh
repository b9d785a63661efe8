#!/usr/bin/env bash
# Signs docker, and cosign with it, in to the ECR that $1 is in: a repository, or an image of one. It may be
# that of another account or region, as far as the role may read there.
set -euo pipefail

aws ecr get-login-password --region "$(cut -d. -f4 <<< "$1")" |
    docker login --username AWS --password-stdin "${1%%/*}" >&2
