import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

/**
 * Says what AWS's event-ruler makes of rules and events. Standard input alternates lines: a rule, an event, both
 * JSON. For each pair one line is printed: 1 if the rule matches, 0 if not, E and the reason if the rule is refused.
 * With the argument "older", event-ruler's matcher of before version 2 answers.
 * Run it with: java -cp CLASSPATH Oracle.java
 */
public class Oracle {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(new java.io.BufferedOutputStream(System.out, 1 << 16), false, "UTF-8");
        boolean older = args.length > 0 && args[0].equals("older");
        for (String rule; (rule = in.readLine()) != null; ) {
            out.println(judge(older, rule, in.readLine()));
        }
        out.flush();
    }

    private static String judge(boolean older, String rule, String event) {
        Machine machine = Machine.builder().withStructuredMatching(!older).build();
        try {
            machine.addRule("rule", rule);
            return machine.rulesForJSONEvent(event).isEmpty() ? "0" : "1";
        } catch (Exception e) {
            return "E " + String.valueOf(e.getMessage()).split("\n")[0];
        }
    }
}
