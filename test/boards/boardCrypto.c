// SPDX-License-Identifier: Apache-2.0
// The runtime's own Ed25519 and its watch over random sources as a program, for tests: each line
// `sign SECRET MESSAGE` prints public key and signature, `verify KEY MESSAGE SIGNATURE` and
// `health BYTES -` print 1 or 0; all in hexadecimal, - for no bytes.
#include <stdio.h>
#include <string.h>

#include "ed25519.h"
#include "health.h"

enum { MESSAGE_LIMIT = 4096, LINE_SIZE = 2 * MESSAGE_LIMIT + 512 };

static size_t read_hex(const char *text, uint8_t *bytes) {
  unsigned value;
  size_t length = 0;
  for (; sscanf(text, "%2x", &value) == 1; text += 2) bytes[length++] = (uint8_t)value;
  return length;
}

static void print_hex(const uint8_t *bytes, size_t length) {
  for (size_t index = 0; index < length; index += 1) printf("%02x", bytes[index]);
}

int main(void) {
  static char line[LINE_SIZE];
  const char *words[4] = {NULL};
  static uint8_t message[MESSAGE_LIMIT];
  uint8_t key[ED25519_KEY_SIZE];
  uint8_t public_key[ED25519_KEY_SIZE];
  uint8_t signature[ED25519_SIGNATURE_SIZE];
  while (fgets(line, sizeof line, stdin) != NULL) {
    words[0] = strtok(line, " \n");
    for (int index = 1; index < 4; index += 1) words[index] = strtok(NULL, " \n");
    if (words[2] == NULL) return 2;
    if (strcmp(words[0], "health") == 0) {
      printf("%d\n", health_check(message, read_hex(words[1], message)));
      continue;
    }
    read_hex(words[1], key);
    size_t length = read_hex(words[2], message);
    if (strcmp(words[0], "sign") == 0) {
      ed25519_public_key(key, public_key);
      ed25519_sign(key, message, length, signature);
      print_hex(public_key, sizeof public_key);
      print_hex(signature, sizeof signature);
      printf("\n");
    } else {
      if (words[3] == NULL) return 2;
      read_hex(words[3], signature);
      printf("%d\n", ed25519_verify(key, message, length, signature));
    }
  }
  return 0;
}
