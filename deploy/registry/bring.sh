#!/usr/bin/env bash
# Copies $IMAGE into $REPOSITORY, the registry from which this environment's tasks may pull, unless it is
# there. Its digest stays. Prints where it is then.
set -euo pipefail
: "${IMAGE:?}" "${REPOSITORY:?}"

digest=${IMAGE##*@}
case "$digest" in sha256:*) ;; *) echo "IMAGE is not given by its digest: $IMAGE" >&2; exit 1 ;; esac
if test "${IMAGE%@*}" != "$REPOSITORY"; then
    "$(dirname "$0")/sign-in.sh" "$IMAGE"
    "$(dirname "$0")/sign-in.sh" "$REPOSITORY"
    copy="$REPOSITORY:${digest/:/-}"
    if ! docker buildx imagetools inspect "$copy" > /dev/null 2>&1; then
        docker buildx imagetools create --tag "$copy" "$IMAGE" >&2
    fi
fi
echo "$REPOSITORY@$digest"
