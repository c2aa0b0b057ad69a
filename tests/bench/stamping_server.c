/* An OpenAI-compatible server for benchmarks that knows when it sent what: one thread, one send() a token.
 *
 *   stamping_server INTERVAL_US LOG
 *
 * Prints its port. Every INTERVAL_US each stream gets one token, all of them in one burst, as an engine that batches
 * continuously does; a step that comes late is not made up for. As many tokens as "max_tokens" asks for; a token of a
 * prompt is a space in the request's body. Answers on /tokenize and /v1/models too.
 *
 * LOG, complete once SIGTERM has ended the server, holds for every stream, in the order of their ends and in native
 * byte order: uint32 number, uint32 tokens, int64 arrival, int64 sent[tokens]. Times are CLOCK_REALTIME nanoseconds:
 * the arrival is the kernel's of the request's last piece, `sent` is taken right before each send(). The number is told
 * to the client in X-LiteLLM-Model-Id, and `sent` in the chunk's id.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 8192, MAX_EVENTS = 256, CHUNK_BYTES = 1024 };

typedef struct {
    int fd;
    char *in; /* What has arrived of the next request. */
    size_t used, room;
    int streaming; /* Its place in `streams`, plus one. */
    uint32_t number, tokens, sent;
    long prompt_tokens;
    int64_t arrival, *stamps;
} Peer;

static Peer *peers[MAX_FD];
static Peer *streams[MAX_FD];
static int stream_count;
static uint32_t next_number;
static FILE *sent_log;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static int64_t nanoseconds(const struct timespec *t) {
    return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return nanoseconds(&t);
}

static void stop_streaming(Peer *peer) {
    if (!peer->streaming) return;
    Peer *last = streams[--stream_count];
    streams[peer->streaming - 1] = last;
    last->streaming = peer->streaming;
    peer->streaming = 0;
    free(peer->stamps);
    peer->stamps = NULL;
}

static void hang_up(Peer *peer) {
    stop_streaming(peer);
    peers[peer->fd] = NULL;
    close(peer->fd);
    free(peer->in);
    free(peer);
}

static void push(Peer *peer, const char *data, size_t size) {
    ssize_t sent = send(peer->fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) return; /* The read side tells. */
    if (sent != (ssize_t)size) die("the client has stopped reading");
}

static void push_chunk(Peer *peer, const char *event, int size) {
    char framed[CHUNK_BYTES + 32];
    push(peer, framed, sprintf(framed, "%x\r\n%.*s\r\n", size, size, event));
}

static void push_token(Peer *peer) {
    int last = ++peer->sent == peer->tokens;
    char event[CHUNK_BYTES];
    int64_t stamp = peer->stamps[peer->sent - 1] = now_ns();
    push_chunk(peer, event, sprintf(event,
        "data: {\"id\":\"chatcmpl-%lld\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"stamping\","
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},\"logprobs\":null,\"finish_reason\":%s,"
        "\"token_ids\":[%u]}]}\n\n", (long long)stamp, last ? "\"length\"" : "null", 10000 + peer->sent));
}

static void push_end(Peer *peer) {
    char event[CHUNK_BYTES], framed[CHUNK_BYTES + 64];
    int size = sprintf(event,
        "data: {\"id\":\"chatcmpl-0\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"stamping\","
        "\"choices\":[],\"usage\":{\"prompt_tokens\":%ld,\"total_tokens\":%ld,\"completion_tokens\":%u}}\n\ndata: [DONE]\n\n",
        peer->prompt_tokens, peer->prompt_tokens + peer->tokens, peer->tokens);
    push(peer, framed, sprintf(framed, "%x\r\n%s\r\n0\r\n\r\n", size, event));
}

static void keep_log(const Peer *peer) {
    fwrite(&peer->number, sizeof peer->number, 1, sent_log);
    fwrite(&peer->tokens, sizeof peer->tokens, 1, sent_log);
    fwrite(&peer->arrival, sizeof peer->arrival, 1, sent_log);
    fwrite(peer->stamps, sizeof *peer->stamps, peer->tokens, sent_log);
}

static void step(void) {
    for (int i = stream_count - 1; i >= 0; i--) { /* Backwards: a stream that ends puts the last in its place. */
        Peer *peer = streams[i];
        push_token(peer);
        if (peer->sent == peer->tokens) {
            push_end(peer);
            keep_log(peer);
            stop_streaming(peer);
        }
    }
}

static long number_after(const char *body, const char *key, long otherwise) {
    const char *found = strstr(body, key);
    return found ? strtol(found + strlen(key), NULL, 10) : otherwise;
}

static void start_stream(Peer *peer, const char *body) {
    char head[CHUNK_BYTES];
    peer->number = next_number++;
    peer->tokens = number_after(body, "\"max_tokens\":", 128);
    peer->sent = 0;
    peer->stamps = malloc(peer->tokens * sizeof *peer->stamps);
    streams[stream_count++] = peer;
    peer->streaming = stream_count;
    push(peer, head, sprintf(head, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
        "X-LiteLLM-Model-Id: %u\r\nTransfer-Encoding: chunked\r\n\r\n", peer->number));
    push_chunk(peer, head, sprintf(head, "data: {\"id\":\"chatcmpl-0\",\"object\":\"chat.completion.chunk\","
        "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n"));
}

static void answer_whole(Peer *peer, const char *status, const char *body) {
    char answer[2 * CHUNK_BYTES];
    push(peer, answer, sprintf(answer, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                               status, strlen(body), body));
}

static void answer(Peer *peer, const char *head, const char *body) {
    char said[CHUNK_BYTES];
    peer->prompt_tokens = 0;
    for (const char *c = body; *c; c++) peer->prompt_tokens += *c == ' ';
    if (strncmp(head, "GET /v1/models ", 15) == 0) {
        answer_whole(peer, "200 OK", "{\"object\":\"list\",\"data\":[{\"id\":\"stamping\",\"object\":\"model\"}]}");
    } else if (strncmp(head, "POST /tokenize ", 15) == 0) {
        sprintf(said, "{\"count\":%ld,\"max_model_len\":131072}", peer->prompt_tokens);
        answer_whole(peer, "200 OK", said);
    } else if (strncmp(head, "POST /v1/chat/completions ", 26) != 0) {
        answer_whole(peer, "404 Not Found", "{\"error\":\"no such path\"}");
    } else if (strstr(body, "\"stream\":true") || strstr(body, "\"stream\": true")) {
        start_stream(peer, body);
    } else {
        sprintf(said, "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"x\"},"
                "\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":%ld,\"completion_tokens\":1}}", peer->prompt_tokens);
        answer_whole(peer, "200 OK", said);
    }
}

/* Answer the request at the front of what has arrived, if it is all there; one connection has one at a time. */
static void look_for_request(Peer *peer) {
    peer->in[peer->used] = 0;
    char *end = strstr(peer->in, "\r\n\r\n");
    if (!end) return;
    char *length = strcasestr(peer->in, "\r\ncontent-length:");
    size_t size = end + 4 - peer->in + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    if (peer->used < size) return;
    answer(peer, peer->in, end + 4);
    peer->used = 0;
}

static void read_from(Peer *peer) {
    if (peer->room - peer->used < 8192 && !(peer->in = realloc(peer->in, peer->room = peer->used + 65536))) die("realloc");
    char control[64];
    struct iovec into = {peer->in + peer->used, peer->room - peer->used - 1};
    struct msghdr message = {.msg_iov = &into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(peer->fd, &message, 0);
    struct cmsghdr *stamp = CMSG_FIRSTHDR(&message);
    struct timespec *arrived = stamp ? (void *)CMSG_DATA(stamp) : NULL;
    peer->arrival = arrived ? nanoseconds(arrived) : now_ns();
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
        hang_up(peer);
        return;
    }
    peer->used += got;
    look_for_request(peer);
}

static void greet(int listener, int poll) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FD) die("too many connections");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
        peers[fd] = calloc(1, sizeof(Peer));
        peers[fd]->fd = fd;
        struct epoll_event want = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &want);
    }
}

static int watched(int poll, int fd) {
    struct epoll_event want = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, fd, &want)) die("epoll");
    return fd;
}

static int listening(int poll) {
    int fd = watched(poll, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (bind(fd, (void *)&at, size) || listen(fd, 4096) || getsockname(fd, (void *)&at, &size)) die("listen");
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static int ticking(int poll, long interval_us) {
    int fd = watched(poll, timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    struct timespec every = {interval_us / 1000000, interval_us % 1000000 * 1000};
    struct itimerspec ticks = {.it_interval = every, .it_value = every};
    timerfd_settime(fd, 0, &ticks, NULL);
    return fd;
}

static int told_to_stop(int poll) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return watched(poll, signalfd(-1, &set, 0));
}

int main(int argc, char **argv) {
    if (argc != 3 || !(sent_log = fopen(argv[2], "wb"))) die("usage: stamping_server INTERVAL_US LOG");
    setvbuf(sent_log, NULL, _IOFBF, 1 << 24);
    int poll = epoll_create1(0), stop = told_to_stop(poll), ticks = ticking(poll, atol(argv[1])), listener = listening(poll);
    struct epoll_event ready[MAX_EVENTS];
    for (;;) {
        int count = epoll_wait(poll, ready, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            uint64_t missed;
            if (fd == stop) return fclose(sent_log);
            if (fd == listener) greet(listener, poll);
            else if (fd == ticks) { if (read(ticks, &missed, sizeof missed) > 0) step(); }
            else if (peers[fd]) read_from(peers[fd]);
        }
    }
}
