# Hotdesk in a container: docs/docker.md.
ARG RUST=1-bookworm
FROM rust:${RUST} AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin hotdesk

FROM debian:bookworm-slim
# New volumes take over the owner of the folder they are mounted at.
RUN groupadd --system --gid 5735 hotdesk \
 && useradd --system --uid 5735 --gid hotdesk --home-dir /var/lib/hotdesk --shell /usr/sbin/nologin hotdesk \
 && install -d -o hotdesk -g hotdesk -m 750 /var/lib/hotdesk /site
# For rediss://; the slim image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/target/release/hotdesk /usr/local/bin/
USER hotdesk
WORKDIR /var/lib/hotdesk
VOLUME /var/lib/hotdesk
# FastAGI, for the switch alone: publish it on a private network only.
EXPOSE 4573
# The server is process 1, so it runs; that the store answers is what can be otherwise.
HEALTHCHECK --interval=10s --timeout=5s CMD ["hotdesk", "status", "--json"]
ENTRYPOINT ["hotdesk"]
CMD ["serve"]
