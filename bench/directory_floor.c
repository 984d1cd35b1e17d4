/* The floor: hash tables over the same texts, for duplicates and for comparison.

   Reads FILE..., one line a user: home cluster, own cluster, user id, URI, mail id.
   Every value is hashed in lower case. Prints the duplicates of each of the three
   columns and the differences of all pairs of clusters that are peered. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { uint64_t *slot; size_t mask; } Set;
typedef struct { uint64_t *hash; size_t n, room; } List;

static Set new_set(size_t n) {
  size_t size = 16;
  while (size < 2 * n) size *= 2;
  return (Set){calloc(size, sizeof(uint64_t)), size - 1};
}

static int add(Set set, uint64_t hash) {
  size_t at = hash & set.mask;
  while (set.slot[at]) {
    if (set.slot[at] == hash) return 1;
    at = (at + 1) & set.mask;
  }
  set.slot[at] = hash;
  return 0;
}

static int has(Set set, uint64_t hash) {
  for (size_t at = hash & set.mask; set.slot[at]; at = (at + 1) & set.mask)
    if (set.slot[at] == hash) return 1;
  return 0;
}

static void push(List *list, uint64_t hash) {
  if (list->n == list->room) {
    list->room = list->room ? 2 * list->room : 1024;
    list->hash = realloc(list->hash, list->room * sizeof(uint64_t));
  }
  list->hash[list->n++] = hash;
}

static uint64_t hash_of(const char *text, size_t length) {
  uint64_t hash = 1469598103934665603u;
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (uint64_t)tolower((unsigned char)text[i])) * 1099511628211u;
  hash ^= hash >> 32;
  return hash ? hash : 1;
}

int main(int argc, char **argv) {
  int clusters = argc - 1;
  List own[3] = {0}, *copies = calloc((size_t)clusters * clusters, sizeof(List));
  for (int file = 1; file < argc; file++) {
    FILE *in = fopen(argv[file], "rb");
    fseek(in, 0, SEEK_END);
    size_t size = (size_t)ftell(in);
    rewind(in);
    char *text = malloc(size);
    if (fread(text, 1, size, in) != size) return 1;
    fclose(in);
    for (char *line = text, *end; line < text + size; line = end + 1) {
      end = memchr(line, '\n', (size_t)(text + size - line));
      char *at;
      long home = strtol(line, &at, 10);
      uint64_t hash[3];
      for (int column = 0; column < 3; column++) {
        char *start = at + 1;
        at = start;
        while (*at != '\t' && *at != '\n') at++;
        hash[column] = hash_of(start, (size_t)(at - start));
      }
      push(&copies[(file - 1) * clusters + home], hash[0]);
      if (home == file - 1)
        for (int column = 0; column < 3; column++) push(&own[column], hash[column]);
    }
    free(text);
  }
  size_t twice = 0, differ = 0;
  for (int column = 0; column < 3; column++) {
    Set set = new_set(own[column].n);
    for (size_t i = 0; i < own[column].n; i++) twice += add(set, own[column].hash[i]);
    free(set.slot);
  }
  for (int remote = 0; remote < clusters; remote++) {
    List theirs = copies[remote * clusters + remote];
    Set set = new_set(theirs.n);
    for (size_t i = 0; i < theirs.n; i++) add(set, theirs.hash[i]);
    for (int home = 0; home < clusters; home++) {
      List ours = copies[home * clusters + remote];
      if (home == remote || !ours.n) continue;
      Set shown = new_set(ours.n);
      for (size_t i = 0; i < ours.n; i++) {
        add(shown, ours.hash[i]);
        differ += !has(set, ours.hash[i]);
      }
      for (size_t i = 0; i < theirs.n; i++) differ += !has(shown, theirs.hash[i]);
      free(shown.slot);
    }
    free(set.slot);
  }
  printf("%zu %zu\n", twice, differ);
  return 0;
}
