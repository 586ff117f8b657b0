/* There is one thread, so nobody has to wait. */
#ifndef _SEMAPHORE_H
#define _SEMAPHORE_H
typedef struct { int count; } sem_t;
int sem_init(sem_t *sem, int shared, unsigned count);
int sem_wait(sem_t *sem);
int sem_post(sem_t *sem);
#endif
