/* Puts the Trojan horse into a source for the first time: graft TROJAN SOURCE RESULT. From then on it does this itself. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char trojan[1 << 16], source[1 << 20];

#include "trojan.c"

static void slurp(const char *name, char *text, size_t room)
{
    FILE *file = fopen(name, "r");

    if (file) {
        text[fread(text, 1, room - 1, file)] = 0;
        fclose(file);
    }
}

int main(int count, char **argument)
{
    FILE *to = count == 4 ? fopen(argument[3], "w") : NULL;

    if (!to) {
        fprintf(stderr, "usage: graft TROJAN SOURCE RESULT\n");
        return 1;
    }
    slurp(argument[1], trojan, sizeof trojan);
    slurp(argument[2], source, sizeof source);
    if (!trojan_change(source, to)) {
        fprintf(stderr, "graft: %s is not libtcc.c\n", argument[2]);
        return 1;
    }
    return fclose(to) != 0;
}
