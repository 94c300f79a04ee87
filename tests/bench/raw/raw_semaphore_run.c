// SPDX-License-Identifier: MIT
// raw_semaphore_run KEY COMMAND...: takes a System V semaphore until its end, then becomes COMMAND.
#include <stdlib.h>
#include <sys/sem.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct sembuf take = {.sem_num = 0, .sem_op = -1, .sem_flg = SEM_UNDO};
    if (argc < 3 || semop(semget(atoi(argv[1]), 0, 0), &take, 1) != 0)
        return 1;
    execvp(argv[2], argv + 2);
    return 127;
}
