# docker build -t unleak . && docker run --rm -v "$PWD:/src:ro" unleak check
FROM rust:1.95-slim AS build
WORKDIR /unleak
COPY . .
RUN cargo build --release --locked

FROM debian:stable-slim
COPY --from=build /unleak/target/release/unleak /usr/local/bin/unleak
WORKDIR /src
ENTRYPOINT ["unleak"]
CMD ["check"]
