// SPDX-License-Identifier: MIT
// Lists what there is of System V in the plainest way, removes what stdin lists as `KIND ID …`, or
// makes some for others.
// Usage: sysv_objects list | remove | make NUMBER

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static void print(const char* kind, int id, const struct ipc_perm* perm) {
    printf("%s %d %u %o\n", kind, id, perm->uid, perm->mode & 0777);
}

static void list(void) {
    struct msginfo messages;
    struct seminfo semaphores;
    struct shm_info memory;
    struct msqid_ds queue;
    struct semid_ds set;
    struct shmid_ds segment;
    int last = msgctl(0, MSG_INFO, (struct msqid_ds*)&messages);
    for (int i = 0; i <= last; i++) {
        int id = msgctl(i, MSG_STAT_ANY, &queue);
        if (id >= 0)
            print("mq", id, &queue.msg_perm);
    }
    last = semctl(0, 0, SEM_INFO, &semaphores);
    for (int i = 0; i <= last; i++) {
        int id = semctl(i, 0, SEM_STAT_ANY, &set);
        if (id >= 0)
            print("sem", id, &set.sem_perm);
    }
    last = shmctl(0, SHM_INFO, (struct shmid_ds*)&memory);
    for (int i = 0; i <= last; i++) {
        int id = shmctl(i, SHM_STAT_ANY, &segment);
        if (id >= 0)
            print("shm", id, &segment.shm_perm);
    }
}

static void remove_listed(void) {
    char kind[4];
    int id;
    while (scanf("%3s %d%*[^\n]", kind, &id) == 2)
        if (kind[0] == 'm')
            msgctl(id, IPC_RMID, NULL);
        else if (kind[1] == 'e')
            semctl(id, 0, IPC_RMID);
        else
            shmctl(id, IPC_RMID, NULL);
}

/// A third of each kind.
static int make(int number) {
    for (int i = 0; i < number; i++) {
        int id = i % 3 == 0   ? msgget(IPC_PRIVATE, 0600)
                 : i % 3 == 1 ? semget(IPC_PRIVATE, 1, 0600)
                              : shmget(IPC_PRIVATE, 4096, 0600);
        if (id < 0) {
            perror("sysv_objects");
            return 1;
        }
    }
    return 0;
}

int main(int argc, char** argv) {
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(atoi(argv[2]));
    if (argc == 2 && strcmp(argv[1], "remove") == 0)
        remove_listed();
    else
        list();
    return 0;
}
