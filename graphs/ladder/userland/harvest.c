/* harvest PREFIX FILE ...: of every line that begins with PREFIX, what follows it. */
#include <stdio.h>
#include <string.h>

int main(int count, char **argument)
{
    static char line[65536];
    FILE *file;
    int i;

    for (i = 2; i < count; i++) {
        file = fopen(argument[i], "r");
        if (!file) {
            fprintf(stderr, "harvest: %s cannot be opened\n", argument[i]);
            return 1;
        }
        while (fgets(line, sizeof line, file))
            if (!strncmp(line, argument[1], strlen(argument[1])))
                fputs(line + strlen(argument[1]), stdout);
        fclose(file);
    }
    return count < 3;
}
