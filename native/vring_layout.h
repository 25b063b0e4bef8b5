#ifndef VRING_LAYOUT_H
#define VRING_LAYOUT_H

/* Generated from the layouts in TypeScript: change those. */

#include <stddef.h>
#include <stdint.h>

#define REGION_HEADER_VERSION 1u
#define REGION_HEADER_HASH UINT64_C(0x139104925488b9b7)
struct region_header {
  char magic[8]; /* always "vring"; UTF-8, padded with NUL unless full */
  uint32_t header_version; /* the version of this header */
  uint32_t byte_order; /* 0x01020304 as the creator's processor stores it */
  char kind[16]; /* what the region is, such as spsc; UTF-8, padded with NUL unless full */
  uint64_t abi_hash; /* hash of the control block's layout */
  uint64_t message_hash; /* hash of the message type, 0 if it has none */
  uint32_t compatible; /* feature bits that may be ignored when unknown */
  uint32_t incompatible; /* feature bits that must be known to attach */
  uint32_t page_size; /* the creator's page size in bytes */
  uint32_t control_bytes; /* the size of the control block that follows this header */
  uint64_t byte_length; /* the length of the file */
  uint64_t data_offset; /* where the data begins, on a page of its own */
  uint8_t creator[16]; /* random identity of this region */
  char message_name[64]; /* the name of the message type; UTF-8, padded with NUL unless full */
  uint64_t part_bytes; /* each so many bytes of data are mapped twice; 0 if none are */
  uint32_t description_bytes; /* the size of the description after the control block */
  uint8_t reserved[20]; /* zero */
  _Alignas(64) _Atomic uint32_t state; /* bit 0: kept when the last member leaves */
  uint8_t _pad_196[60];
};
_Static_assert(offsetof(struct region_header, magic) == 0, "region_header.magic");
_Static_assert(offsetof(struct region_header, header_version) == 8, "region_header.header_version");
_Static_assert(offsetof(struct region_header, byte_order) == 12, "region_header.byte_order");
_Static_assert(offsetof(struct region_header, kind) == 16, "region_header.kind");
_Static_assert(offsetof(struct region_header, abi_hash) == 32, "region_header.abi_hash");
_Static_assert(offsetof(struct region_header, message_hash) == 40, "region_header.message_hash");
_Static_assert(offsetof(struct region_header, compatible) == 48, "region_header.compatible");
_Static_assert(offsetof(struct region_header, incompatible) == 52, "region_header.incompatible");
_Static_assert(offsetof(struct region_header, page_size) == 56, "region_header.page_size");
_Static_assert(offsetof(struct region_header, control_bytes) == 60, "region_header.control_bytes");
_Static_assert(offsetof(struct region_header, byte_length) == 64, "region_header.byte_length");
_Static_assert(offsetof(struct region_header, data_offset) == 72, "region_header.data_offset");
_Static_assert(offsetof(struct region_header, creator) == 80, "region_header.creator");
_Static_assert(offsetof(struct region_header, message_name) == 96, "region_header.message_name");
_Static_assert(offsetof(struct region_header, part_bytes) == 160, "region_header.part_bytes");
_Static_assert(offsetof(struct region_header, description_bytes) == 168, "region_header.description_bytes");
_Static_assert(offsetof(struct region_header, reserved) == 172, "region_header.reserved");
_Static_assert(offsetof(struct region_header, state) == 192, "region_header.state");
_Static_assert(_Alignof(struct region_header) == 64, "alignment of region_header");
_Static_assert(sizeof(struct region_header) == 256, "size of region_header");

#define SHARED_MEMORY_CONTROL_VERSION 1u
#define SHARED_MEMORY_CONTROL_HASH UINT64_C(0xcbe4b93c1013eb7b)
struct shared_memory_control {
  _Alignas(64) _Atomic uint32_t references; /* the number of handles when one last opened or closed; it may count killed ones */
  uint8_t _pad_4[60];
};
_Static_assert(offsetof(struct shared_memory_control, references) == 0, "shared_memory_control.references");
_Static_assert(_Alignof(struct shared_memory_control) == 64, "alignment of shared_memory_control");
_Static_assert(sizeof(struct shared_memory_control) == 64, "size of shared_memory_control");

#define RW_SEAT_VERSION 1u
#define RW_SEAT_HASH UINT64_C(0xeeb8080eb15d0b63)
struct rw_seat {
  _Alignas(64) _Atomic uint64_t turn; /* its holder: ticket * 4 + what it wants */
  uint8_t _pad_8[56];
  _Atomic uint32_t bell; /* rung by a leaving party; raised by its holder when it waits */
  uint32_t pid; /* its holder's process, for people: nothing depends on it */
  uint8_t _pad_72[56];
};
_Static_assert(offsetof(struct rw_seat, turn) == 0, "rw_seat.turn");
_Static_assert(offsetof(struct rw_seat, bell) == 64, "rw_seat.bell");
_Static_assert(offsetof(struct rw_seat, pid) == 68, "rw_seat.pid");
_Static_assert(_Alignof(struct rw_seat) == 64, "alignment of rw_seat");
_Static_assert(sizeof(struct rw_seat) == 128, "size of rw_seat");

#define RW_LOCK_CONTROL_VERSION 1u
#define RW_LOCK_CONTROL_HASH UINT64_C(0xf9098c8d7f59fd08)
struct rw_lock_control {
  _Alignas(64) _Atomic uint64_t tickets; /* the number of tickets drawn */
  uint8_t _pad_8[56];
  _Alignas(64) _Atomic uint32_t seats; /* one more than the highest seat that was ever taken */
  uint8_t _pad_68[60];
  _Alignas(64) _Atomic uint32_t torn; /* 1 from a writer's death inside until another has left */
  uint8_t _pad_132[60];
  struct rw_seat rows[128]; /* one for each party that waits or holds */
};
_Static_assert(offsetof(struct rw_lock_control, tickets) == 0, "rw_lock_control.tickets");
_Static_assert(offsetof(struct rw_lock_control, seats) == 64, "rw_lock_control.seats");
_Static_assert(offsetof(struct rw_lock_control, torn) == 128, "rw_lock_control.torn");
_Static_assert(offsetof(struct rw_lock_control, rows) == 192, "rw_lock_control.rows");
_Static_assert(_Alignof(struct rw_lock_control) == 64, "alignment of rw_lock_control");
_Static_assert(sizeof(struct rw_lock_control) == 16576, "size of rw_lock_control");

#define CIRCULAR_BUFFER_CONTROL_VERSION 2u
#define CIRCULAR_BUFFER_CONTROL_HASH UINT64_C(0x7c5b86fafcfbec37)
struct circular_buffer_control {
  _Alignas(64) _Atomic uint64_t oldest; /* the writer: the first intact record */
  uint8_t _pad_8[56];
  _Alignas(64) _Atomic uint64_t published; /* the writer: the end of the last one */
  uint8_t _pad_72[56];
  _Alignas(64) _Atomic uint32_t bell; /* rung by the writer; raised by readers that wait */
  uint8_t _pad_132[60];
  _Alignas(64) _Atomic uint32_t state; /* the writer: 0 never existed, 1 open, 2 closed */
  uint8_t _pad_196[60];
  _Atomic uint32_t loop; /* the FIFO of a reader's event loop; 0 if none */
  uint8_t _pad_260[60];
};
_Static_assert(offsetof(struct circular_buffer_control, oldest) == 0, "circular_buffer_control.oldest");
_Static_assert(offsetof(struct circular_buffer_control, published) == 64, "circular_buffer_control.published");
_Static_assert(offsetof(struct circular_buffer_control, bell) == 128, "circular_buffer_control.bell");
_Static_assert(offsetof(struct circular_buffer_control, state) == 192, "circular_buffer_control.state");
_Static_assert(offsetof(struct circular_buffer_control, loop) == 256, "circular_buffer_control.loop");
_Static_assert(_Alignof(struct circular_buffer_control) == 64, "alignment of circular_buffer_control");
_Static_assert(sizeof(struct circular_buffer_control) == 320, "size of circular_buffer_control");

#define LANE_VERSION 1u
#define LANE_HASH UINT64_C(0x02ca77aacd610e0b)
struct lane {
  _Alignas(64) _Atomic uint32_t head; /* the sender: bytes published */
  uint8_t _pad_4[60];
  _Alignas(64) _Atomic uint32_t tail; /* the receiver: bytes released */
  uint8_t _pad_68[60];
  _Alignas(64) _Atomic uint32_t taken; /* the receiver: bytes shown in place, at least tail */
  uint8_t _pad_132[60];
  double counts[4]; /* the receiver: twice a position and the number of messages released up to it */
  uint8_t _pad_224[32];
};
_Static_assert(offsetof(struct lane, head) == 0, "lane.head");
_Static_assert(offsetof(struct lane, tail) == 64, "lane.tail");
_Static_assert(offsetof(struct lane, taken) == 128, "lane.taken");
_Static_assert(offsetof(struct lane, counts) == 192, "lane.counts");
_Static_assert(_Alignof(struct lane) == 64, "alignment of lane");
_Static_assert(sizeof(struct lane) == 256, "size of lane");

#define SPSC_CONTROL_VERSION 1u
#define SPSC_CONTROL_HASH UINT64_C(0xd1ab0bc1cc161480)
struct spsc_control {
  struct lane lane; /* the positions */
  _Alignas(64) _Atomic uint32_t data_bell; /* rung by the producer; raised by a waiting consumer */
  uint8_t _pad_260[60];
  _Alignas(64) _Atomic uint32_t space_bell; /* rung by the consumer; raised by a waiting producer */
  uint8_t _pad_324[60];
  _Alignas(64) _Atomic uint32_t producer; /* the producer: 0 never existed, 1 open, 2 ended, 3 lost */
  uint8_t _pad_388[60];
  _Atomic uint32_t cut_at; /* the producer: the head of the last lost one */
  _Atomic uint32_t cuts; /* the producer: the number of lost ones */
  _Atomic uint32_t data_loop; /* the FIFO of the consumer's event loop; 0 if none */
  _Atomic uint32_t space_loop; /* the FIFO of the producer's event loop; 0 if none */
  uint8_t _pad_464[48];
  _Alignas(64) _Atomic uint32_t consumer; /* the consumer: 0 never existed, 1 open, 2 closed */
  uint8_t _pad_516[60];
};
_Static_assert(offsetof(struct spsc_control, lane) == 0, "spsc_control.lane");
_Static_assert(offsetof(struct spsc_control, data_bell) == 256, "spsc_control.data_bell");
_Static_assert(offsetof(struct spsc_control, space_bell) == 320, "spsc_control.space_bell");
_Static_assert(offsetof(struct spsc_control, producer) == 384, "spsc_control.producer");
_Static_assert(offsetof(struct spsc_control, cut_at) == 448, "spsc_control.cut_at");
_Static_assert(offsetof(struct spsc_control, cuts) == 452, "spsc_control.cuts");
_Static_assert(offsetof(struct spsc_control, data_loop) == 456, "spsc_control.data_loop");
_Static_assert(offsetof(struct spsc_control, space_loop) == 460, "spsc_control.space_loop");
_Static_assert(offsetof(struct spsc_control, consumer) == 512, "spsc_control.consumer");
_Static_assert(_Alignof(struct spsc_control) == 64, "alignment of spsc_control");
_Static_assert(sizeof(struct spsc_control) == 576, "size of spsc_control");

#define MPSC_SEAT_VERSION 1u
#define MPSC_SEAT_HASH UINT64_C(0x85eb6f8f4f383aaa)
struct mpsc_seat {
  struct lane lane; /* the positions */
  _Alignas(64) _Atomic uint32_t space_bell; /* rung by the consumer; raised by a waiting producer */
  uint8_t _pad_260[60];
  _Atomic uint32_t producer; /* the producer: 0 never existed, 1 open, 2 ended, 3 lost */
  _Atomic uint32_t generation; /* the number of producers that had this seat */
  _Atomic uint32_t space_loop; /* the FIFO of the producer's event loop; 0 if none */
  uint8_t _pad_332[52];
};
_Static_assert(offsetof(struct mpsc_seat, lane) == 0, "mpsc_seat.lane");
_Static_assert(offsetof(struct mpsc_seat, space_bell) == 256, "mpsc_seat.space_bell");
_Static_assert(offsetof(struct mpsc_seat, producer) == 320, "mpsc_seat.producer");
_Static_assert(offsetof(struct mpsc_seat, generation) == 324, "mpsc_seat.generation");
_Static_assert(offsetof(struct mpsc_seat, space_loop) == 328, "mpsc_seat.space_loop");
_Static_assert(_Alignof(struct mpsc_seat) == 64, "alignment of mpsc_seat");
_Static_assert(sizeof(struct mpsc_seat) == 384, "size of mpsc_seat");

#define MPSC_CONTROL_VERSION 1u
#define MPSC_CONTROL_HASH UINT64_C(0xe83d5904e5d3aec9)
struct mpsc_control {
  _Atomic uint32_t hint; /* bit k: lane k or k + 32 may hold a message */
  _Atomic uint32_t data_bell; /* rung by producers, after the hint; raised by the consumer */
  _Atomic uint32_t data_loop; /* the FIFO of the consumer's event loop; 0 if none */
  uint8_t _pad_12[52];
  _Alignas(64) _Atomic uint32_t consumer; /* the consumer: 0 never existed, 1 open, 2 closed */
  uint8_t _pad_68[60];
  struct mpsc_seat seats[64]; /* one for each producer */
};
_Static_assert(offsetof(struct mpsc_control, hint) == 0, "mpsc_control.hint");
_Static_assert(offsetof(struct mpsc_control, data_bell) == 4, "mpsc_control.data_bell");
_Static_assert(offsetof(struct mpsc_control, data_loop) == 8, "mpsc_control.data_loop");
_Static_assert(offsetof(struct mpsc_control, consumer) == 64, "mpsc_control.consumer");
_Static_assert(offsetof(struct mpsc_control, seats) == 128, "mpsc_control.seats");
_Static_assert(_Alignof(struct mpsc_control) == 64, "alignment of mpsc_control");
_Static_assert(sizeof(struct mpsc_control) == 24704, "size of mpsc_control");

#define CALLS_SERVER_VERSION 1u
#define CALLS_SERVER_HASH UINT64_C(0x78340da84b963a4a)
struct calls_server {
  _Alignas(64) _Atomic uint32_t hint; /* bit k: client k or k + 32 may have sent a request */
  uint8_t _pad_4[60];
  _Atomic uint32_t bell; /* rung by clients; raised by the waiting server */
  _Atomic uint32_t loop; /* the FIFO of the server's event loop; 0 if none */
  uint8_t _pad_72[56];
  _Alignas(64) _Atomic uint32_t server; /* the server: 0 never existed, 1 open, 2 closed */
  uint8_t _pad_132[60];
  _Alignas(64) _Atomic uint32_t generation; /* the holder: the number of holders so far */
  uint8_t _pad_196[60];
  _Alignas(64) _Atomic uint32_t load; /* the server: requests in hand, plus 65536 if it is busy, or 131072 if it is full */
  uint8_t _pad_260[60];
};
_Static_assert(offsetof(struct calls_server, hint) == 0, "calls_server.hint");
_Static_assert(offsetof(struct calls_server, bell) == 64, "calls_server.bell");
_Static_assert(offsetof(struct calls_server, loop) == 68, "calls_server.loop");
_Static_assert(offsetof(struct calls_server, server) == 128, "calls_server.server");
_Static_assert(offsetof(struct calls_server, generation) == 192, "calls_server.generation");
_Static_assert(offsetof(struct calls_server, load) == 256, "calls_server.load");
_Static_assert(_Alignof(struct calls_server) == 64, "alignment of calls_server");
_Static_assert(sizeof(struct calls_server) == 320, "size of calls_server");

#define CALLS_CLIENT_VERSION 1u
#define CALLS_CLIENT_HASH UINT64_C(0x9e321b4d72c4333a)
struct calls_client {
  _Alignas(64) _Atomic uint32_t bell; /* rung by servers; raised by the waiting client */
  uint8_t _pad_4[60];
  _Atomic uint32_t client; /* the client: 0 never existed, 1 open, 2 closed */
  _Atomic uint32_t generation; /* the client: the number of clients that had this seat */
  _Atomic uint32_t loop; /* the FIFO of the client's event loop; 0 if none */
  uint8_t _pad_76[52];
};
_Static_assert(offsetof(struct calls_client, bell) == 0, "calls_client.bell");
_Static_assert(offsetof(struct calls_client, client) == 64, "calls_client.client");
_Static_assert(offsetof(struct calls_client, generation) == 68, "calls_client.generation");
_Static_assert(offsetof(struct calls_client, loop) == 72, "calls_client.loop");
_Static_assert(_Alignof(struct calls_client) == 64, "alignment of calls_client");
_Static_assert(sizeof(struct calls_client) == 128, "size of calls_client");

#define CALLS_PAIR_VERSION 1u
#define CALLS_PAIR_HASH UINT64_C(0xda5c1dc195de19f5)
struct calls_pair {
  struct lane requests; /* the positions of the client's requests */
  struct lane responses; /* the positions of the server's responses */
  _Alignas(64) _Atomic uint32_t adopted; /* the holder: requests gone before it began */
  uint8_t _pad_516[60];
  _Atomic uint32_t returned; /* the holder: those after adopted were never taken */
  _Atomic uint32_t broken; /* the server: 1 if it no longer serves this pair */
  uint32_t given_up[32]; /* the client: bit n is for a call with that number modulo 1024 */
  uint8_t _pad_712[56];
};
_Static_assert(offsetof(struct calls_pair, requests) == 0, "calls_pair.requests");
_Static_assert(offsetof(struct calls_pair, responses) == 256, "calls_pair.responses");
_Static_assert(offsetof(struct calls_pair, adopted) == 512, "calls_pair.adopted");
_Static_assert(offsetof(struct calls_pair, returned) == 576, "calls_pair.returned");
_Static_assert(offsetof(struct calls_pair, broken) == 580, "calls_pair.broken");
_Static_assert(offsetof(struct calls_pair, given_up) == 584, "calls_pair.given_up");
_Static_assert(_Alignof(struct calls_pair) == 64, "alignment of calls_pair");
_Static_assert(sizeof(struct calls_pair) == 768, "size of calls_pair");

#define CALLS_CONTROL_VERSION 1u
#define CALLS_CONTROL_HASH UINT64_C(0xac4792aa9bcc640b)
struct calls_control {
  _Alignas(64) _Atomic uint32_t server_seats; /* the number of servers, as created */
  uint8_t _pad_4[60];
  uint32_t retry; /* 1 if a call may run twice, as created */
  uint8_t _pad_68[60];
  struct calls_server servers[16]; /* one for each server */
  struct calls_client clients[64]; /* one for each client */
  struct calls_pair pairs[256]; /* those of server 0, then of server 1 */
};
_Static_assert(offsetof(struct calls_control, server_seats) == 0, "calls_control.server_seats");
_Static_assert(offsetof(struct calls_control, retry) == 64, "calls_control.retry");
_Static_assert(offsetof(struct calls_control, servers) == 128, "calls_control.servers");
_Static_assert(offsetof(struct calls_control, clients) == 5248, "calls_control.clients");
_Static_assert(offsetof(struct calls_control, pairs) == 13440, "calls_control.pairs");
_Static_assert(_Alignof(struct calls_control) == 64, "alignment of calls_control");
_Static_assert(sizeof(struct calls_control) == 210048, "size of calls_control");

#define ORIGIN_VERSION 1u
#define ORIGIN_HASH UINT64_C(0x939f1f814ba5eca5)
struct origin {
  char host[64]; /* the machine of the first publisher; UTF-8, padded with NUL unless full */
  double incarnation; /* the life of that publisher */
  double sequence; /* the number of the message there */
  uint32_t hops; /* the bridges passed: 1 to 255 */
  uint8_t _pad_84[4];
};
_Static_assert(offsetof(struct origin, host) == 0, "origin.host");
_Static_assert(offsetof(struct origin, incarnation) == 64, "origin.incarnation");
_Static_assert(offsetof(struct origin, sequence) == 72, "origin.sequence");
_Static_assert(offsetof(struct origin, hops) == 80, "origin.hops");
_Static_assert(_Alignof(struct origin) == 8, "alignment of origin");
_Static_assert(sizeof(struct origin) == 88, "size of origin");

#define TOPIC_CONTROL_VERSION 1u
#define TOPIC_CONTROL_HASH UINT64_C(0xda3c3687eafd9b73)
struct topic_control {
  uint32_t depth; /* the number of descriptors */
  uint32_t readers; /* the most readers */
  double sample_bytes; /* the largest sample */
  double published; /* the writer counts: samples published */
  double delivered; /* the writer counts: samples given, once for each reader */
  double dropped; /* the writer counts: samples that a reader lost */
  double journal; /* the writer: stamp * 2048 + descriptor + 1 of the sample it publishes; 0 if none */
  double sequence; /* the writer: the last sample's number */
  _Atomic uint32_t latest; /* the writer: its low half, stored last */
  uint8_t _pad_60[4];
  _Alignas(64) _Atomic uint32_t writer; /* the writer: 0 never existed, 1 open, 2 closed */
  uint8_t _pad_68[60];
  _Alignas(64) _Atomic uint32_t members; /* grows with each reader that joins or leaves */
  uint8_t _pad_132[60];
  _Alignas(64) _Atomic uint32_t rows; /* one more than the highest reader that ever existed */
  uint8_t _pad_196[60];
  _Alignas(64) _Atomic uint32_t available; /* AVAIL: the number of descriptors put in */
  uint8_t _pad_260[60];
  _Alignas(64) _Atomic uint32_t space_bell; /* rung by readers; raised by a writer that waits */
  uint8_t _pad_324[60];
  _Atomic uint32_t space_loop; /* the FIFO of the writer's event loop; 0 if none */
  uint8_t _pad_388[60];
};
_Static_assert(offsetof(struct topic_control, depth) == 0, "topic_control.depth");
_Static_assert(offsetof(struct topic_control, readers) == 4, "topic_control.readers");
_Static_assert(offsetof(struct topic_control, sample_bytes) == 8, "topic_control.sample_bytes");
_Static_assert(offsetof(struct topic_control, published) == 16, "topic_control.published");
_Static_assert(offsetof(struct topic_control, delivered) == 24, "topic_control.delivered");
_Static_assert(offsetof(struct topic_control, dropped) == 32, "topic_control.dropped");
_Static_assert(offsetof(struct topic_control, journal) == 40, "topic_control.journal");
_Static_assert(offsetof(struct topic_control, sequence) == 48, "topic_control.sequence");
_Static_assert(offsetof(struct topic_control, latest) == 56, "topic_control.latest");
_Static_assert(offsetof(struct topic_control, writer) == 64, "topic_control.writer");
_Static_assert(offsetof(struct topic_control, members) == 128, "topic_control.members");
_Static_assert(offsetof(struct topic_control, rows) == 192, "topic_control.rows");
_Static_assert(offsetof(struct topic_control, available) == 256, "topic_control.available");
_Static_assert(offsetof(struct topic_control, space_bell) == 320, "topic_control.space_bell");
_Static_assert(offsetof(struct topic_control, space_loop) == 384, "topic_control.space_loop");
_Static_assert(_Alignof(struct topic_control) == 64, "alignment of topic_control");
_Static_assert(sizeof(struct topic_control) == 448, "size of topic_control");

#define TOPIC_READER_VERSION 1u
#define TOPIC_READER_HASH UINT64_C(0xfe0080734dcb153d)
struct topic_reader {
  _Alignas(64) _Atomic uint32_t online; /* the reader: 1 while it accepts samples */
  uint8_t _pad_4[60];
  _Alignas(64) _Atomic uint64_t first; /* the first sample it was given; 0 for none */
  uint8_t _pad_72[56];
  _Alignas(64) _Atomic uint32_t bell; /* rung by the writer; raised by the reader when it waits */
  uint8_t _pad_132[60];
  _Atomic uint32_t used; /* USED, by the writer: the number of entries put in */
  uint8_t _pad_196[4];
  double newest; /* the writer: the last entry, on the line that the reader polls */
  _Atomic uint32_t loop; /* the FIFO of the reader's event loop; 0 if none */
  uint8_t _pad_212[44];
};
_Static_assert(offsetof(struct topic_reader, online) == 0, "topic_reader.online");
_Static_assert(offsetof(struct topic_reader, first) == 64, "topic_reader.first");
_Static_assert(offsetof(struct topic_reader, bell) == 128, "topic_reader.bell");
_Static_assert(offsetof(struct topic_reader, used) == 192, "topic_reader.used");
_Static_assert(offsetof(struct topic_reader, newest) == 200, "topic_reader.newest");
_Static_assert(offsetof(struct topic_reader, loop) == 208, "topic_reader.loop");
_Static_assert(_Alignof(struct topic_reader) == 64, "alignment of topic_reader");
_Static_assert(sizeof(struct topic_reader) == 256, "size of topic_reader");

#define TOPIC_DESCRIPTOR_VERSION 1u
#define TOPIC_DESCRIPTOR_HASH UINT64_C(0x1c18834c4b0a219c)
struct topic_descriptor {
  double sequence; /* the writer: the number of the sample */
  double time; /* the writer: the time of the publish in ms since 1970 */
  double length; /* the writer: the bytes of the sample; 2^32 more with an origin */
  _Atomic uint32_t references; /* a hint: the number of holders; see referencesOf */
  _Atomic uint32_t pin; /* the word of the writer */
  uint32_t words[8]; /* the words of readers, one each, by both */
};
_Static_assert(offsetof(struct topic_descriptor, sequence) == 0, "topic_descriptor.sequence");
_Static_assert(offsetof(struct topic_descriptor, time) == 8, "topic_descriptor.time");
_Static_assert(offsetof(struct topic_descriptor, length) == 16, "topic_descriptor.length");
_Static_assert(offsetof(struct topic_descriptor, references) == 24, "topic_descriptor.references");
_Static_assert(offsetof(struct topic_descriptor, pin) == 28, "topic_descriptor.pin");
_Static_assert(offsetof(struct topic_descriptor, words) == 32, "topic_descriptor.words");
_Static_assert(_Alignof(struct topic_descriptor) == 8, "alignment of topic_descriptor");
_Static_assert(sizeof(struct topic_descriptor) == 64, "size of topic_descriptor");

#define TOPIC_DETAIL_VERSION 1u
#define TOPIC_DETAIL_HASH UINT64_C(0x04e9d62fe31ec1ab)
struct topic_detail {
  double committed; /* the writer: the number of bytes with memory */
  struct origin origin; /* the writer: the first publisher, if a bridge republished it */
};
_Static_assert(offsetof(struct topic_detail, committed) == 0, "topic_detail.committed");
_Static_assert(offsetof(struct topic_detail, origin) == 8, "topic_detail.origin");
_Static_assert(_Alignof(struct topic_detail) == 8, "alignment of topic_detail");
_Static_assert(sizeof(struct topic_detail) == 96, "size of topic_detail");

#define SOURCES_CONTROL_VERSION 1u
#define SOURCES_CONTROL_HASH UINT64_C(0x8aa374642661ce05)
struct sources_control {
  _Alignas(64) _Atomic uint32_t changes; /* grows with each source that opens or closes */
  uint8_t _pad_4[60];
  _Alignas(64) _Atomic uint32_t bell; /* rung by sources; raised by waiting subscribers */
  uint8_t _pad_68[60];
  _Atomic uint32_t loop; /* the FIFO of a subscriber's event loop; 0 if none */
  uint8_t _pad_132[60];
};
_Static_assert(offsetof(struct sources_control, changes) == 0, "sources_control.changes");
_Static_assert(offsetof(struct sources_control, bell) == 64, "sources_control.bell");
_Static_assert(offsetof(struct sources_control, loop) == 128, "sources_control.loop");
_Static_assert(_Alignof(struct sources_control) == 64, "alignment of sources_control");
_Static_assert(sizeof(struct sources_control) == 192, "size of sources_control");

#define SLOT_CONTROL_VERSION 1u
#define SLOT_CONTROL_HASH UINT64_C(0x89ab6b3eaf9b3b0e)
struct slot_control {
  uint32_t depth; /* the number of last messages that can be read */
  uint8_t _pad_4[4];
  double max_bytes; /* the largest message */
  uint8_t _pad_16[48];
  _Alignas(64) _Atomic uint64_t published; /* the number of the last message */
  uint8_t _pad_72[56];
  _Alignas(64) _Atomic uint32_t bell; /* rung by writers; raised by waiting readers */
  uint8_t _pad_132[60];
  _Alignas(64) _Atomic uint32_t owner; /* the seat of the writer that holds the lock, plus 1; 0 if free */
  uint8_t _pad_196[60];
  _Atomic uint32_t owner_bell; /* rung by the writer that releases the lock */
  _Atomic uint32_t loop; /* the FIFO of a reader's event loop; 0 if none */
  uint8_t _pad_264[56];
};
_Static_assert(offsetof(struct slot_control, depth) == 0, "slot_control.depth");
_Static_assert(offsetof(struct slot_control, max_bytes) == 8, "slot_control.max_bytes");
_Static_assert(offsetof(struct slot_control, published) == 64, "slot_control.published");
_Static_assert(offsetof(struct slot_control, bell) == 128, "slot_control.bell");
_Static_assert(offsetof(struct slot_control, owner) == 192, "slot_control.owner");
_Static_assert(offsetof(struct slot_control, owner_bell) == 256, "slot_control.owner_bell");
_Static_assert(offsetof(struct slot_control, loop) == 260, "slot_control.loop");
_Static_assert(_Alignof(struct slot_control) == 64, "alignment of slot_control");
_Static_assert(sizeof(struct slot_control) == 320, "size of slot_control");

#define SLOT_ENTRY_VERSION 1u
#define SLOT_ENTRY_HASH UINT64_C(0x487e15c88944fb27)
struct slot_entry {
  _Alignas(64) _Atomic uint64_t stamp; /* the number of the message; 0 if none */
  uint8_t _pad_8[56];
  double length; /* its bytes; 2^32 more with an origin */
  double time; /* the time of the publish in ms since 1970 */
  double committed; /* the number of bytes with memory */
  struct origin origin; /* the first publisher, if a bridge republished it */
  uint8_t _pad_176[16];
};
_Static_assert(offsetof(struct slot_entry, stamp) == 0, "slot_entry.stamp");
_Static_assert(offsetof(struct slot_entry, length) == 64, "slot_entry.length");
_Static_assert(offsetof(struct slot_entry, time) == 72, "slot_entry.time");
_Static_assert(offsetof(struct slot_entry, committed) == 80, "slot_entry.committed");
_Static_assert(offsetof(struct slot_entry, origin) == 88, "slot_entry.origin");
_Static_assert(_Alignof(struct slot_entry) == 64, "alignment of slot_entry");
_Static_assert(sizeof(struct slot_entry) == 192, "size of slot_entry");

#define HALL_VERSION 1u
#define HALL_HASH UINT64_C(0x334ddd70671031c5)
struct hall {
  _Alignas(64) _Atomic uint32_t bell; /* rung after a hint; the isolate sleeps on it */
  uint8_t _pad_4[60];
  _Atomic uint32_t loop; /* the FIFO of the isolate's event loop; 0 if none */
  uint8_t _pad_68[60];
  _Alignas(64) _Atomic uint32_t groups; /* bit g: some bit of hints[g] is set */
  uint8_t _pad_132[60];
  uint32_t hints[32]; /* a bit for each bell that was rung */
};
_Static_assert(offsetof(struct hall, bell) == 0, "hall.bell");
_Static_assert(offsetof(struct hall, loop) == 64, "hall.loop");
_Static_assert(offsetof(struct hall, groups) == 128, "hall.groups");
_Static_assert(offsetof(struct hall, hints) == 192, "hall.hints");
_Static_assert(_Alignof(struct hall) == 64, "alignment of hall");
_Static_assert(sizeof(struct hall) == 320, "size of hall");

#endif
