# The image: the static program, the authorities of the public web, and nothing else. It runs as
# nobody, on a read-only root file system; what it writes are /data (data.dir) and /tmp.
#   docker build -t REGISTRY/k8guard .      builds in a container
#   make image                              copies a program that was built outside: no image is pulled

ARG GO_IMAGE=docker.io/library/golang:1.26

FROM scratch AS base
ARG VERSION=dev
ARG COMMIT=unknown
ARG DATE=unknown
LABEL org.opencontainers.image.title="k8guard" \
      org.opencontainers.image.description="Audits a cluster, tells the owners, and acts after fair warning" \
      org.opencontainers.image.source="https://github.com/k8guard/k8guard" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}" \
      org.opencontainers.image.created="${DATE}"
USER 65532:65532
ENTRYPOINT ["/k8guard"]
CMD ["version"]

# Before the stage that pulls: a builder that works on every stage up to this one needs none.
FROM base AS local
COPY bin/image/ /

FROM ${GO_IMAGE} AS build
ARG VERSION=dev
ARG COMMIT=unknown
ARG DATE=unknown
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build GO="go" VERSION="${VERSION}" COMMIT="${COMMIT}" DATE="${DATE}"

FROM base
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/bin/k8guard /k8guard
