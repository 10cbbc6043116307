package dev.callgate;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes a method of an interface a call of a function: its argument goes out as JSON, its return type is what the answer is
 * read into. See {@link Callgate#functions(Class)}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface CallgateFunction {
    /** The function's name or ARN; the method's own name if empty. */
    String name() default "";

    /** A version or an alias; none if empty. */
    String qualifier() default "";

    /** Whether a durable key is sent, so that the call runs once even if the gateway crashes meanwhile. */
    boolean idempotent() default false;

    /** How long the whole call may take, in milliseconds; 0 for the client's own. */
    long deadlineMs() default 0;
}
