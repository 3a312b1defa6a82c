# Hotdesk in a container. See docs/docker.md.
ARG RUST=1-bookworm
FROM rust:${RUST} AS build
WORKDIR /src
COPY . .
RUN cargo build --profile dist --locked --bin hotdesk

FROM debian:bookworm-slim
# A new volume gets the owner of the folder where it is mounted.
RUN groupadd --system --gid 5735 hotdesk \
 && useradd --system --uid 5735 --gid hotdesk --home-dir /var/lib/hotdesk --shell /usr/sbin/nologin hotdesk \
 && install -d -o hotdesk -g hotdesk -m 750 /var/lib/hotdesk /site
# Certificates for rediss://; the slim image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/target/dist/hotdesk /usr/local/bin/
USER hotdesk
WORKDIR /var/lib/hotdesk
VOLUME /var/lib/hotdesk
# FastAGI, for the switch only. It has no password: publish it in a private network only.
EXPOSE 4573
# Process 1 is the server, so it runs if the container runs. This checks that the store answers.
HEALTHCHECK --interval=10s --timeout=5s CMD ["hotdesk", "status", "--json"]
ENTRYPOINT ["hotdesk"]
CMD ["serve"]
