package com.example.app

import android.app.Activity
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.LinearLayout
import android.widget.TextView
import com.example.signin.Advice
import com.example.signin.Failure
import com.example.signin.SessionKind
import com.example.signin.SessionView
import com.example.signin.adviseOn
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * One view: who is signed in, and what they can do.
 *
 * @param openBrowser opens the system's browser
 */
abstract class SessionActivity(private val openBrowser: (Activity, String) -> Unit) : Activity() {
    private val scope = MainScope()
    private val flow by lazy { (application as ExampleApp).flow }
    private lateinit var title: TextView
    private lateinit var message: TextView
    private lateinit var unknown: View
    private lateinit var signedOut: View
    private lateinit var signedIn: View

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(buildContent())
        // The link that opened the app after the system had ended it; else the session that it kept.
        accept(intent)
    }

    /** The link that came back to an app that is still there. */
    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        accept(intent)
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    /** A link that comes again, from the list of recent apps or with a turn of the screen, finds no sign-in in flight. */
    private fun accept(intent: Intent) = perform {
        val link = intent.dataString.takeIf { intent.action == Intent.ACTION_VIEW }
        val view = withContext(Dispatchers.IO) { link?.let(flow::acceptDeepLink) ?: flow.loadView() }
        show(view)
    }

    private fun logIn() = perform {
        openBrowser(this, withContext(Dispatchers.IO) { flow.begin(SessionKind.TOKEN) })
    }

    private fun refresh() = perform { show(withContext(Dispatchers.IO) { flow.refresh() }) }

    private fun callApi() = perform { message.text = withContext(Dispatchers.IO) { flow.callApi(API_PATH) }.toString() }

    private fun signOut() = perform {
        show(null) // Here at once, whatever the service says.
        val logoutUrl = withContext(Dispatchers.IO) { flow.signOut() }
        if (logoutUrl != null) openBrowser(this, logoutUrl)
    }

    private fun perform(action: suspend () -> Unit) {
        message.text = ""
        scope.launch {
            try {
                action()
            } catch (failure: Failure) {
                showFailure(failure)
            }
        }
    }

    /** Offline at the start nobody knows who is signed in; that is no reason to say that nobody is. */
    private fun offerRetry() {
        if (signedIn.visibility == View.GONE && signedOut.visibility == View.GONE) unknown.visibility = View.VISIBLE
    }

    private suspend fun showFailure(failure: Failure) {
        offerRetry()
        when (adviseOn(failure.code)) {
            Advice.DISMISS -> message.text = ""
            Advice.SIGN_IN -> message.setText(R.string.advice_sign_in)
            Advice.LATER -> message.setText(R.string.advice_later)
            Advice.REPORT -> message.text = getString(R.string.advice_report, failure.errorId.orEmpty())
            Advice.SIGNED_OUT -> {
                withContext(Dispatchers.IO) { flow.forgetSession() }
                show(null)
                message.setText(R.string.advice_signed_out)
            }
        }
    }

    private fun show(view: SessionView?) {
        title.text = view?.user?.let { it.name ?: it.sub } ?: getString(R.string.app_name)
        unknown.visibility = View.GONE
        signedIn.visibility = if (view == null) View.GONE else View.VISIBLE
        signedOut.visibility = if (view == null) View.VISIBLE else View.GONE
    }

    private fun buildContent(): View {
        title = TextView(this)
        message = TextView(this).apply { accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE }
        unknown = column(button(R.string.try_again) { accept(intent) })
        signedOut = column(button(R.string.log_in, ::logIn))
        signedIn = column(
            button(R.string.call_api, ::callApi),
            button(R.string.refresh, ::refresh),
            button(R.string.sign_out, ::signOut),
        )
        for (part in listOf(unknown, signedOut, signedIn)) part.visibility = View.GONE
        return column(title, unknown, signedOut, signedIn, message).apply { fitsSystemWindows = true }
    }

    private fun button(label: Int, action: () -> Unit): View = Button(this).apply {
        setText(label)
        setOnClickListener { action() }
    }

    private fun column(vararg children: View): LinearLayout = LinearLayout(this).apply {
        orientation = LinearLayout.VERTICAL
        children.forEach { addView(it, ViewGroup.LayoutParams.MATCH_PARENT, ViewGroup.LayoutParams.WRAP_CONTENT) }
    }
}
