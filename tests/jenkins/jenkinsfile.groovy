// Reads a Jenkinsfile with the Groovy that Jenkins embeds, and prints what it calls as JSON: a list
// of [name, arguments, calls inside]. Nothing is carried out.
import groovy.json.JsonOutput

class Recorder extends Script {
    def calls = []

    def run() { null }

    def invokeMethod(String name, Object given) {
        def arguments = (given as Object[]).toList()
        def inside = []
        if (arguments && arguments[-1] instanceof Closure) {
            def block = arguments.pop()
            def below = new Recorder()
            block.delegate = below
            block.resolveStrategy = Closure.DELEGATE_ONLY
            block()
            inside = below.calls
        }
        calls << [name, arguments.collect { it instanceof Map ? it : it?.toString() }, inside]
        name
    }
}

def configuration = new org.codehaus.groovy.control.CompilerConfiguration()
configuration.scriptBaseClass = Recorder.name
def script = new GroovyShell(this.class.classLoader, new Binding(), configuration)
    .parse(new File(args[0]))
script.run()
println JsonOutput.toJson(script.calls)
