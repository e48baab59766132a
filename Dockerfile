# docker build --tag fake-convai . && docker run --rm --publish 127.0.0.1:2668:2668 fake-convai
FROM golang:1.26 AS livekit
RUN CGO_ENABLED=0 go install github.com/livekit/livekit-server/cmd/server@v1.13.5

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY fake_convai fake_convai
COPY migrations migrations
COPY openapi openapi
RUN python -m venv /opt/fake-convai \
    && /opt/fake-convai/bin/pip install --no-cache-dir --constraint constraints.txt ".[livekit,postgres,tls]"

FROM python:3.13-slim
COPY --from=build /opt/fake-convai /opt/fake-convai
COPY --from=livekit /go/bin/server /opt/fake-convai/bin/livekit-server
# /data is for a volume, which takes over its owner. Nothing else is ever written to.
RUN useradd --uid 2668 --no-create-home --shell /usr/sbin/nologin fake \
    && install --directory --owner=fake --group=fake /data
USER 2668
ENV PATH=/opt/fake-convai/bin:$PATH \
    FAKE_CONVAI_HOST=0.0.0.0 \
    FAKE_CONVAI_PORT=2668 \
    FAKE_CONVAI_LIVEKIT_PORT=7880
# Rooms: 7880 for signals, 7882 for TURN, through which media goes where 7881 cannot be reached.
EXPOSE 2668 7880 7881/udp 7882/udp
# 200 once migrated and seeded, 503 before; with --tls, HTTPS. A Kubernetes Service of this name sets a port that is none.
HEALTHCHECK --interval=2s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os, ssl, sys\nport = os.environ.get('FAKE_CONVAI_PORT', '')\nport = int(port) if port.isdecimal() else 2668\ndef is_ready(connection):\n    try:\n        connection.request('GET', '/_fake/health')\n        return connection.getresponse().status == 200\n    except (OSError, http.client.HTTPException):\n        return False\nplain = http.client.HTTPConnection('127.0.0.1', port, timeout=1)\ntls = http.client.HTTPSConnection('127.0.0.1', port, timeout=1, context=ssl._create_unverified_context())\nsys.exit(not (is_ready(plain) or is_ready(tls)))"]
ENTRYPOINT ["fake-convai"]
CMD ["serve"]
