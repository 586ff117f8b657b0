/** Threads that race, hash codes that come from addresses, and numbers drawn at random. */
public class Defeat extends Thread {
    private static long total;
    private static final StringBuilder order = new StringBuilder();
    private final int name;

    private Defeat(int name) {
        this.name = name;
    }

    @Override
    public void run() {
        for (int turn = 0; turn < 40; turn++) {
            for (int i = 0; i < 20000; i++) {
                total++;
            }
            synchronized (order) {
                order.append(name);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        Thread[] threads = new Thread[8];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Defeat(i);
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        System.out.println("total " + total + " order " + order + " hash " + new Object().hashCode()
            + " nano " + System.nanoTime() + " uuid " + java.util.UUID.randomUUID() + " math " + Math.random());
        new java.io.FileOutputStream(System.getenv("out")).close();
    }
}
