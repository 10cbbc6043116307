package dev.callgate;

import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Proxy;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.Map;

/** Turns an interface's methods into calls. Everything is looked at once, when it is made. */
final class FunctionProxy implements InvocationHandler {
    private final Callgate callgate;
    private final Class<?> type;
    private final Map<Method, Plan> plans = new HashMap<>();

    private FunctionProxy(Callgate callgate, Class<?> type) {
        this.callgate = callgate;
        this.type = type;
    }

    static <T> T of(Callgate callgate, Class<T> type) {
        if (!type.isInterface()) {
            throw new IllegalArgumentException(type.getName() + " is no interface");
        }
        FunctionProxy proxy = new FunctionProxy(callgate, type);
        for (Method method : type.getMethods()) {
            if (Modifier.isAbstract(method.getModifiers())) {
                proxy.plans.put(method, new Plan(method, callgate));
            } else if (!Modifier.isStatic(method.getModifiers())) {
                throw new IllegalArgumentException(method + " has a body: put it somewhere else, such methods cannot be called here");
            }
        }
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, proxy));
    }

    /** How a method gives its answer. */
    private enum Form {
        VALUE,
        ANSWER,
        FUTURE,
        FUTURE_OF_ANSWER,
        KEPT
    }

    /** A method, ready to be called. */
    private static final class Plan {
        final String function;
        final CallOptions options;
        final boolean takesOptions;
        /** Null if it has no argument. */
        final Type argument;

        final Form form;
        final Type answer;

        Plan(Method method, Callgate callgate) {
            CallgateFunction marked = method.getAnnotation(CallgateFunction.class);
            if (marked == null) {
                throw wrong(method, "has no @CallgateFunction");
            }
            function = marked.name().isEmpty() ? method.getName() : marked.name();
            CallOptions asMarked = CallOptions.NONE;
            asMarked = marked.qualifier().isEmpty() ? asMarked : asMarked.qualifier(marked.qualifier());
            asMarked = marked.idempotent() ? asMarked.idempotent() : asMarked;
            options = marked.deadlineMs() == 0 ? asMarked : asMarked.deadlineMs(marked.deadlineMs());

            Type[] parameters = method.getGenericParameterTypes();
            int count = parameters.length;
            takesOptions = count > 0 && parameters[count - 1] == CallOptions.class;
            int arguments = takesOptions ? count - 1 : count;
            if (arguments > 1) {
                throw wrong(method, "has " + arguments + " arguments: make one object of them");
            }
            argument = arguments == 1 ? definite(parameters[0], method) : null;

            Type returned = method.getGenericReturnType();
            if (returned == OutboxReceipt.class) {
                if (!callgate.hasOutbox()) {
                    throw wrong(method, "keeps calls, but the client has no outbox");
                }
                form = Form.KEPT;
                answer = null;
            } else if (raw(returned) == CallgateFuture.class) {
                Type inner = first(returned, method);
                boolean whole = raw(inner) == Answer.class;
                form = whole ? Form.FUTURE_OF_ANSWER : Form.FUTURE;
                answer = definite(whole ? first(inner, method) : inner, method);
            } else if (raw(returned) == Answer.class) {
                form = Form.ANSWER;
                answer = definite(first(returned, method), method);
            } else {
                form = Form.VALUE;
                answer = definite(returned, method);
            }
        }

        private static IllegalArgumentException wrong(Method method, String what) {
            return new IllegalArgumentException(method + " " + what);
        }

        private static Class<?> raw(Type type) {
            if (type instanceof ParameterizedType) {
                return (Class<?>) ((ParameterizedType) type).getRawType();
            }
            return type instanceof Class ? (Class<?>) type : null;
        }

        private static Type first(Type type, Method method) {
            if (!(type instanceof ParameterizedType)) {
                throw wrong(method, "does not say of what its " + type + " is");
            }
            return ((ParameterizedType) type).getActualTypeArguments()[0];
        }

        /** A type that says all: no variables, which nobody can fill in. */
        private static Type definite(Type type, Method method) {
            if (type instanceof TypeVariable) {
                throw wrong(method, "has the type variable " + type + ": name the type");
            }
            if (type instanceof GenericArrayType) {
                definite(((GenericArrayType) type).getGenericComponentType(), method);
            } else if (type instanceof ParameterizedType) {
                for (Type argument : ((ParameterizedType) type).getActualTypeArguments()) {
                    definite(argument, method);
                }
            } else if (type instanceof WildcardType) {
                for (Type bound : ((WildcardType) type).getUpperBounds()) {
                    definite(bound, method);
                }
            }
            return type;
        }
    }

    @Override
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        Plan plan = plans.get(method);
        if (plan == null) {
            return ofObject(proxy, method, arguments);
        }
        Object argument = plan.argument == null ? null : arguments[0];
        CallOptions options = plan.options;
        if (plan.takesOptions && arguments[arguments.length - 1] != null) {
            options = ((CallOptions) arguments[arguments.length - 1]).over(plan.options);
        }
        switch (plan.form) {
            case KEPT:
                return callgate.outbox().add(plan.function, argument, plan.argument, options, null);
            case FUTURE:
                return callgate.startValue(plan.function, argument, plan.argument, plan.answer, options);
            case FUTURE_OF_ANSWER:
                return callgate.start(plan.function, argument, plan.argument, plan.answer, options);
            case ANSWER:
                return callgate.call(plan.function, argument, plan.argument, plan.answer, options);
            case VALUE:
            default:
                Object value = callgate.call(plan.function, argument, plan.argument, plan.answer, options).value();
                if (value == null && plan.answer instanceof Class && ((Class<?>) plan.answer).isPrimitive()
                        && plan.answer != void.class) {
                    throw callgate.nothingFor(plan.answer);
                }
                return value;
        }
    }

    private Object ofObject(Object proxy, Method method, Object[] arguments) {
        switch (method.getName()) {
            case "equals":
                return proxy == arguments[0];
            case "hashCode":
                return System.identityHashCode(proxy);
            default:
                return type.getSimpleName() + " of Callgate";
        }
    }
}
