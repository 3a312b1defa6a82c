# Hotdesk in a container. Mount the folder with hotdesk.toml, its secret and its store at /var/lib/hotdesk.
ARG RUST=1-bookworm
FROM rust:${RUST} AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin hotdesk

FROM debian:bookworm-slim
RUN useradd --system --uid 5735 --home-dir /var/lib/hotdesk --create-home --user-group hotdesk
COPY --from=build /src/target/release/hotdesk /usr/local/bin/hotdesk
USER hotdesk
WORKDIR /var/lib/hotdesk
VOLUME /var/lib/hotdesk
# FastAGI, for the switch alone: publish it on a private network only.
EXPOSE 4573
ENTRYPOINT ["hotdesk"]
CMD ["serve"]
